/** The command `rtmfp-server token`, in a process of its own. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import { RunningCommand } from "./support/command.ts";

const folder = mkdtempSync(join(tmpdir(), "rtmfp-server-"));
afterAll(() => rmSync(folder, { recursive: true }));

const token = (...args: string[]) => new RunningCommand(["token", ...args]).ended;

describe("rtmfp-server token", () => {
  it(
    ...rfc("O-6"),
    "makes tokens by the first key of a file, one per line, and says in one line what it lacks",
    async () => {
      const [keys, empty] = [join(folder, "keys"), join(folder, "empty")];
      writeFileSync(keys, "# for the show\nsupersecret\nother\n");
      writeFileSync(empty, "# nothing yet\n");
      const [made, missing, none, wrong] = await Promise.all([
        token("--auth-keys", keys, "live/12345", "mike@live/12345"),
        token("--auth-keys", join(folder, "missing"), "live"),
        token("--auth-keys", empty, "live"),
        token("live"),
      ]);
      expect(made).toEqual({
        code: 0,
        out:
          "df41d9cbe74f325250d6e0346dcd9e95fb837892f4a927c27cecf2664d639786\n" +
          "8bddf00ca7e31862fe17872c463df61eafde6518f565cb3def0e82a3b2d639d7\n",
        err: "",
      });
      expect([missing?.code, none?.code, wrong?.code]).toEqual([1, 1, 2]);
      expect(missing?.err).toMatch(/^rtmfp-server: the key file \S+missing cannot be read: [^\n]+\n$/);
      expect(none?.err).toMatch(/^rtmfp-server: the key file \S+empty holds no key: [^\n]+\n$/);
      expect(wrong?.err).toMatch(
        /^rtmfp-server token: required option '--auth-keys <file>' not specified; see --help\n$/,
      );
    },
  );
});
