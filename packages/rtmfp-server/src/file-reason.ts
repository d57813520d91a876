/** Why a file cannot be read or written, and what to do about it. */
export function fileReason(error: unknown, verb: "read" | "write"): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (verb === "write" && code === "ENOENT") return "its folder does not exist; make it, or check the path";
  return REASONS[code ?? ""] ?? code ?? String(error);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file; check the path",
  ENOTDIR: "its folder is a file; check the path",
  EISDIR: "it is a folder; name a file in it",
  EACCES: "permission denied; choose another place, or change the permissions",
  ENOSPC: "the disk is full; make room, or choose another place",
};
