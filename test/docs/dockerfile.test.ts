import { existsSync, readFileSync } from "node:fs";
import { DockerfileParser } from "dockerfile-ast";
import { validate } from "dockerfile-utils";
import { DEFAULT_PORT } from "rtmfp-core/tc";
import { describe, expect, it } from "vitest";
import { parseCommandLine } from "../../packages/rtmfp-server/src/cli/command-line.ts";
import { DEFAULT_HTTP_PORT } from "../../packages/rtmfp-server/src/http/address.ts";
import { root } from "../../tools/run.ts";
import { dockerfileCommands } from "../tarballs/dockerfile.ts";

const text = readFileSync(`${root}Dockerfile`, "utf8");
const instructions = DockerfileParser.parse(text).getInstructions();
const all = (name: string): string[] =>
  instructions.filter((each) => each.getInstruction() === name).map((each) => each.getArgumentsContent() ?? "");

describe("the Dockerfile", () => {
  it("has no instruction that Docker refuses or warns of", () => {
    expect(validate(text).map(({ message }) => message)).toEqual([]);
  });

  it("builds with the repository's pnpm, on a Node that the packages run on, in pinned stages", () => {
    const { packageManager, engines } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
    expect(
      all("RUN")
        .join()
        .match(/pnpm@[\d.]+/g),
    ).toEqual([packageManager, packageManager]);
    const least = Number(/\d+/.exec(engines.node)?.[0]);
    const majors = all("FROM").map((image) => Number(/^node:(\d+)-slim( AS \w+)?$/.exec(image)?.[1]));
    expect(majors.length).toBe(2);
    expect(new Set(majors).size).toBe(1);
    expect(majors[0]).toBeGreaterThanOrEqual(least);
  });

  it("runs the server by the options that it has, as nobody special, at the ports that it exposes", () => {
    const { entrypoint, cmd, healthcheck } = dockerfileCommands(text);
    const bin = entrypoint[1]?.replace("node_modules/rtmfp-server/", "packages/rtmfp-server/") ?? "";
    expect([entrypoint[0], existsSync(root + bin)]).toEqual(["node", true]);
    expect(parseCommandLine(["", "", ...cmd])).toMatchObject({ identity: "/data/identity" });
    expect(healthcheck.slice(0, 2)).toEqual(entrypoint);
    expect(all("USER")).toEqual(["node"]);
    expect(all("VOLUME")).toEqual(["/data"]);
    expect(all("EXPOSE")).toEqual([`${DEFAULT_PORT}/udp ${DEFAULT_HTTP_PORT}/tcp`]);
  });
});
