/** Output whose reader has gone. */

/** Keeps a write that fails from ending the process with a stack; who must know listens too. */
export function guardOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.off("error", ignore).on("error", ignore);
}

function ignore(): void {}
