/**
 * What a handler's result has still to settle: a Promise, also for other things that can be awaited, such as the queries of
 * database libraries, which begin when they are. Undefined for a result that is there at once.
 */
export function pendingOf(result: unknown): Promise<unknown> | undefined {
  if (result instanceof Promise) return result;
  if (typeof result !== "object" || result === null || !("then" in result)) return undefined;
  return typeof result.then === "function" ? Promise.resolve(result) : undefined;
}
