/** A server, a publisher and nine viewers, as processes, in one group: the viewers pass the stream on to each other. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { defaultProvider } from "rtmfp-core/crypto";
import { FlvReader, type FlvTag } from "rtmfp-core/flv";
import { buildGroupspec, groupIdOf } from "rtmfp-core/group";
import { toHex } from "rtmfp-core/proto";
import { gapFree, type Played } from "./gap-free.ts";
import {
  ALONE_MS,
  GROUP_END_MS,
  GROUP_START_MS,
  GROUP_STREAM_MS,
  GROUP_VIEWERS,
  KILL_MS,
  LATE_MS,
  LEAVE_MS,
  MAX_UPLOAD,
  SERVER_END_MS,
  SHOW_MS,
} from "./settings.ts";
import { writeSource } from "./source.ts";
import type { Stage } from "./stage.ts";
import { type Shown, SwarmView } from "./swarm-view.ts";

/** A process that writes what it plays. */
interface Viewer extends Shown {
  readonly file: string;
}

/** Throws on the first thing that is not as it should be. */
export async function groupDemo(stage: Stage, folder: string): Promise<void> {
  const source = `${folder}/source.flv`;
  const original = writeSource(source, GROUP_STREAM_MS);
  const spec = groupspec();
  const place = ["--host", "127.0.0.1", "--port", "0", "--http", "0"];
  const server = stage.start("server", "rtmfp-server", place);
  const { urls, http } = await server.take("listening", GROUP_START_MS);
  const url = `${String((urls as unknown[])[0])}/demo`;
  const join = (label: string): Viewer => {
    const file = `${folder}/viewer-${label}.flv`;
    const args = ["play", url, "cam", "--group", spec, "--wait", String(GROUP_START_MS / 1_000), "-o", file];
    return { label, file, command: stage.start(`viewer ${label}`, "rtmfp-client", args) };
  };
  const early = Array.from({ length: GROUP_VIEWERS - 1 }, (_, i) => join(String(i + 1)));
  await hasMembers(`${String(http)}/api/groups/${groupIdAs(spec)}`, early);
  const publish = ["publish", url, "cam", source, "--group", spec, "--wait", String(early.length - SPARE)];
  const publisher = { label: "pub", command: stage.start("publisher", "rtmfp-client", publish) };
  await publisher.command.take("publishing", GROUP_START_MS);
  for (const { command } of early) await command.take("playing", GROUP_START_MS);

  const members: Shown[] = [publisher, ...early];
  const view = new SwarmView(members);
  const leaver = early[0] as Viewer;
  view.start(SHOW_MS);
  try {
    await view.reaches(LATE_MS);
    view.note(`viewer ${GROUP_VIEWERS} joins late`);
    const late = join(String(GROUP_VIEWERS));
    members.push(late);
    await view.reaches(LEAVE_MS);
    view.note(`viewer ${leaver.label} leaves`);
    leaver.command.signal("SIGINT");
    await view.reaches(KILL_MS);
    const victim = view.busiest(early.slice(1));
    view.note(`viewer ${victim.label}, who serves the others most, is killed (-9)`);
    victim.command.signal("SIGKILL");
    await view.reaches(SERVER_END_MS);
    await late.command.take("playing", GROUP_STREAM_MS - ALONE_MS - SERVER_END_MS);
    view.note("the server is killed (-9): the group is on its own");
    server.signal("SIGKILL");
    await publisher.command.take("done", GROUP_STREAM_MS + GROUP_END_MS);
    view.note("the publisher is done");
    const stay = [...early, late].filter((viewer) => viewer !== leaver && viewer !== victim);
    for (const { command } of stay) await command.take("done", GROUP_END_MS);
    view.stop();
    const codes = await Promise.all([publisher, ...stay, leaver].map(({ command }) => command.exited));
    if (codes.some((code, i) => code !== (i <= stay.length ? 0 : 130)))
      throw new Error(`exit codes ${codes.join(", ")}, expected 0 and, from who left by SIGINT, 130`);
    verdict(original, [...stay, leaver, victim], stay, view.report(publisher)?.bytesOut ?? Number.NaN);
  } finally {
    view.stop();
  }
}

/** Compares the files with what was published, and prints the verdict; throws on the first that does not agree. */
function verdict(
  original: readonly FlvTag[],
  viewers: readonly Viewer[],
  stay: readonly Viewer[],
  upload: number,
): void {
  console.log("\nWhat the viewers have, compared frame by frame with what was published:");
  let bytes = 0;
  for (const viewer of viewers) {
    const played = check(original, viewer);
    bytes += played.bytes;
    console.log(
      `  ${viewer.file}: ${played.fromMs} to ${played.toMs} ms without a gap, ${played.bytes} bytes${stay.includes(viewer) ? "" : ", until it went"}`,
    );
    if (stay.includes(viewer) && !played.isComplete) throw new Error(`${viewer.file} ends too early`);
    if (played.toMs - played.fromMs < MIN_PLAYED_MS) throw new Error(`${viewer.file} has hardly anything`);
  }
  const copies = viewers.length * original.reduce((sum, { data }) => sum + data.length, 0);
  const share = upload / bytes;
  console.log(
    `The publisher sent ${upload} bytes in all: ${percent(upload / copies)} of ${viewers.length} unicast copies of the stream, ${percent(share)} of the ${bytes} bytes that its viewers have.`,
  );
  if (!(share <= MAX_UPLOAD)) throw new Error(`the publisher sent ${percent(share)}, more than ${percent(MAX_UPLOAD)}`);
  console.log(`demo: PASS viewers=${viewers.length} bytes=${bytes} upload=${percent(share).replace(" ", "")}`);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** The file of who was killed may end in the middle of a tag. */
function check(original: readonly FlvTag[], { file }: Viewer): Played {
  try {
    return gapFree(original, new FlvReader().push(readFileSync(file)));
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function groupspec(): string {
  const [version, uniqueTag] = [2, new Uint8Array(randomBytes(32))];
  return buildGroupspec({ version, name: "demo", uniqueTag, multicastEnabled: true, serverChannelEnabled: true });
}

function groupIdAs(spec: string): string {
  return toHex(groupIdOf(spec, (bytes) => defaultProvider().sha256(bytes)));
}

/** Resolves when all have joined, as the server says; rejects when one has ended, or at the limit. */
async function hasMembers(url: string, viewers: readonly Viewer[]): Promise<void> {
  for (const end = performance.now() + GROUP_START_MS; ; await sleep(POLL_MS)) {
    const response = await fetch(url);
    const { members = 0 } = (await response.json()) as { members?: number };
    if (members === viewers.length) return;
    for (const { command } of viewers) command.check();
    if (performance.now() > end) throw new Error(`${members} of ${viewers.length} viewers joined the group`);
  }
}

/** The first tag waits for all neighbours but so many: not everybody must find everybody. */
const SPARE = 2;
const MIN_PLAYED_MS = 2_000;
const POLL_MS = 200;
