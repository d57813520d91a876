import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { checkPresent, commandOf, folderOf, substitute, Unavailable } from "./command.ts";
import { checkPeer } from "./peer-file.ts";

const peer = checkPeer({
  name: "other",
  folder: "OTHER_DIR",
  roles: {
    server: {
      argv: ["{dir}/server", "{options}", "--at", "{host}:{port}"],
      options: { quiet: ["-q"], named: { args: ["-n", "{name}"], ready: "named" } },
      ready: "listening",
    },
  },
});

describe("a role's command", () => {
  it("puts the options asked for where {options} stands, and nothing when none are", () => {
    expect(commandOf(peer, "server").argv).toEqual(["{dir}/server", "--at", "{host}:{port}"]);
    expect(commandOf(peer, "server", ["quiet", "named"]).argv.slice(1, 4)).toEqual(["-q", "-n", "{name}"]);
  });

  it("waits for the option's ready pattern where it has one", () => {
    expect(commandOf(peer, "server", ["quiet"]).ready).toBe("listening");
    expect(commandOf(peer, "server", ["named", "quiet"]).ready).toBe("named");
  });

  it("replaces every placeholder, within arguments too, and leaves other braces alone", () => {
    const argv = substitute(["{a}:{b}{a}", "[0-9]{2}", '{"x":1}'], { a: "1", b: "{a}" });
    expect(argv).toEqual(["1:{a}1", "[0-9]{2}", '{"x":1}']);
  });

  it("names a placeholder that has no value", () => {
    expect(() => substitute(["-f", "{fingerprint}"], {})).toThrow("{fingerprint}");
  });
});

describe("what cannot be had", () => {
  it("is a role, or an option of a role, that the peer file lacks", () => {
    expect(() => commandOf(peer, "player")).toThrow(new Unavailable("other has no player"));
    expect(() => commandOf(peer, "server", ["static"])).toThrow(new Unavailable("other's server has no option static"));
  });

  it("is a peer whose folder is not set; a peer without a folder is always there", () => {
    expect(folderOf(peer, { OTHER_DIR: "/opt" })).toBe("/opt");
    expect(() => folderOf(peer, {})).toThrow(new Unavailable("OTHER_DIR is not set"));
    expect(() => folderOf(peer, { OTHER_DIR: "" })).toThrow(Unavailable);
    expect(folderOf({ name: "own", roles: {} }, {})).toBe("");
  });

  it("is a program that is not in its folder or not in PATH", () => {
    const bin = dirname(process.execPath);
    expect(() => checkPresent(["{dir}/node"], bin)).not.toThrow();
    expect(() => checkPresent(["node", "{dir}/node"], bin, bin)).not.toThrow();
    expect(() => checkPresent(["{dir}/no-such"], bin)).toThrow(new Unavailable(`there is no program ${bin}/no-such`));
    expect(() => checkPresent(["node", "{dir}/no-such"], bin, bin)).toThrow(Unavailable);
    expect(() => checkPresent(["no-such"], "", bin)).toThrow(new Unavailable("there is no program no-such in PATH"));
  });
});
