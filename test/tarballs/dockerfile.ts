/** The commands that a Dockerfile ends in. */
import { DockerfileParser } from "dockerfile-ast";

/** Each in exec form, a word per entry. */
export interface DockerfileCommands {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly healthcheck: readonly string[];
}

/** Of the last stage. Throws Error if one of them is missing, or goes through a shell. */
export function dockerfileCommands(text: string): DockerfileCommands {
  const instructions = DockerfileParser.parse(text).getInstructions();
  const wordsOf = (name: string): readonly string[] => {
    const said = instructions.findLast((instruction) => instruction.getInstruction() === name)?.getArgumentsContent();
    // A health check names what kind of check follows.
    const words = /^(?:CMD\s+)?(\[.*\])\s*$/s.exec(said ?? "")?.[1];
    if (words === undefined) throw new Error(`the Dockerfile has no ${name} in exec form`);
    return JSON.parse(words) as readonly string[];
  };
  return { entrypoint: wordsOf("ENTRYPOINT"), cmd: wordsOf("CMD"), healthcheck: wordsOf("HEALTHCHECK") };
}
