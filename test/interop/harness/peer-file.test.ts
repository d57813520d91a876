import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { checkPeer, readPeer } from "./peer-file.ts";

const folder = fileURLToPath(new URL("../peers/", import.meta.url));
const player = { argv: ["play", "{options}"], ready: "ready" };

describe("peer files", () => {
  it("accepts the files that the project comes with", () => {
    const files = [...readdirSync(folder).map((name) => `${folder}${name}`), `${folder}../ours.json`];
    expect(files.map(readPeer).map(({ name }) => name)).toEqual(["rtmfp-cpp", "ours"]);
  });

  it("accepts the worked example of the README", () => {
    const readme = readFileSync(`${folder}../README.md`, "utf8");
    const example = /```json\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    expect(Object.keys(checkPeer(JSON.parse(example)).roles)).toEqual(["server", "player", "echoClient"]);
  });

  it("takes an option as its arguments alone or with a ready pattern of its own", () => {
    const options = { plain: ["-a"], other: { args: ["-b"], ready: "other" } };
    const { roles } = checkPeer({ name: "x", roles: { player: { ...player, options } } });
    expect(roles.player?.options).toEqual({ plain: { args: ["-a"] }, other: { args: ["-b"], ready: "other" } });
  });

  it.each([
    ["name must be a string", { roles: { player } }],
    ["roles is empty; it takes server, publisher", { name: "x", roles: {} }],
    ["roles has the unknown field viewer", { name: "x", roles: { viewer: player } }],
    ["the file has the unknown field port", { name: "x", port: 1, roles: { player } }],
    ["roles.player.argv must be an array of strings", { name: "x", roles: { player: { ...player, argv: "play" } } }],
    ["roles.player.argv is empty", { name: "x", roles: { player: { ...player, argv: [] } } }],
    ["roles.player.ready must be a string", { name: "x", roles: { player: { argv: ["play"] } } }],
    ["roles.player.done: Invalid regular", { name: "x", roles: { player: { ...player, done: "(" } } }],
    ["roles.player.stop must be the name of a signal", { name: "x", roles: { player: { ...player, stop: "now" } } }],
    ["roles.player.doneTimes must be a positive", { name: "x", roles: { player: { ...player, doneTimes: 0 } } }],
    [
      'roles.player.argv has no element "{options}"',
      { name: "x", roles: { player: { ...player, argv: ["play"], options: { pin: ["-f"] } } } },
    ],
  ])("refuses a file in one line: %s", (message, file) => {
    expect(() => checkPeer(file)).toThrow(message);
  });

  it("names the file that it cannot read", () => {
    expect(() => readPeer("/nowhere/peer.json")).toThrow("/nowhere/peer.json: ENOENT");
  });
});
