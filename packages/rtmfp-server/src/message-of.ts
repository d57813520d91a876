/** What was thrown, in words: an application may throw anything. */
export function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : String(error);
  } catch {
    return "something that has no text was thrown";
  }
}
