/** Plays a stream: from the server (RFC 7425 §5.3), or from a peer directly (§5.4). § means RFC 7425. */
import type { Address, Session } from "rtmfp-core";
import type { FlvTag, FlvTagType } from "rtmfp-core/flv";
import { encodeCommand, type MessageTree, type StatusEvent, type TreeEnd } from "rtmfp-core/tc";
import type { ConnectionCore, StreamInput } from "./connection-core.ts";
import { PlayInput } from "./play-input.ts";
import { ServerStream } from "./server-stream.ts";
import { makeStatus, statusError } from "./status-error.ts";

/** What a playback tells its NetStream. */
export interface PlaybackHost {
  tag(tag: FlvTag): void;
  /** At least one tag of the kind did not arrive, or is of no use. */
  lost(type: FlvTagType): void;
  status(event: StatusEvent): void;
  data(name: string, args: readonly unknown[]): void;
  /** The session with the peer is there. */
  connected(): void;
  /** No tag follows. `connection` is the event of the stream's own connection with a peer that says so. */
  ended(connection?: "NetStream.Connect.Closed" | "NetStream.Connect.Rejected"): void;
}

/** A stream being played. */
export interface Playback {
  /** The session with the peer. */
  readonly session: Session | undefined;
  /** Holds the sender back, or lets it go on. */
  hold(held: boolean): void;
  command(name: string, args: readonly (number | boolean)[]): void;
  /** Asks the sender for sound, or pictures, or for none. */
  receive(kind: "audio" | "video", wanted: boolean): void;
  close(): Promise<void>;
}

/** A playback and the event that it began with. */
export interface Started {
  readonly playback: Playback;
  readonly event: StatusEvent;
}

/** What to play and how. */
export interface PlayRequest {
  readonly name: string;
  /** Adobe's start, len and reset, as far as given. */
  readonly args: readonly (number | boolean)[];
  readonly reorderMs: number;
  /** Where the peer is; none: the server knows. */
  readonly addresses: readonly Address[];
  readonly signal: AbortSignal;
}

/** Plays from the server. Rejects with the event that says why not. */
export async function playFromServer(core: ConnectionCore, request: PlayRequest, host: PlaybackHost): Promise<Started> {
  const answer = new Answer();
  const input = makeInput(core, request, host, answer, false);
  const onEnd = (description: string): void => {
    input.end();
    answer.settle(makeStatus("NetStream.Failed", description));
    host.ended();
  };
  const streamInput: StreamInput = {
    message: (message, flow, missing) => input.message(message, flow, missing),
    refused: () => onEnd("the server refused the stream"),
    closed: () => onEnd("the server connection ended"),
  };
  const stream = await ServerStream.create(core, streamInput, request.signal);
  const playback: Playback = {
    session: undefined,
    hold: (held) => {
      if (core.isOpen) core.tree.hold(stream.id, held);
    },
    command: (name, args) => stream.command(name, args),
    receive: (kind, wanted) => {
      input.expect(kind, wanted);
      stream.command(RECEIVE[kind], [wanted]);
    },
    close: async () => {
      input.end();
      if (core.isOpen) {
        // The connection may end with the first call.
        const { tree } = core;
        tree.rejectStream(stream.id);
        tree.hold(stream.id, false);
      }
      stream.end([]);
    },
  };
  stream.command("play", [request.name, ...request.args]);
  const { timeoutMs } = core.host;
  const cancel = core.clock.after(timeoutMs, () =>
    answer.settle(makeStatus("NetStream.Failed", `the server did not answer "play" within ${timeoutMs / 1000} s`)),
  );
  try {
    return { playback, event: await answer.wait(request.signal, playback) };
  } finally {
    cancel();
  }
}

/** Plays from a peer. Rejects with NetStream.Connect.Failed, or Rejected when the peer does not consent. */
export async function playFromPeer(
  core: ConnectionCore,
  peerId: string,
  request: PlayRequest,
  host: PlaybackHost,
): Promise<Started> {
  const { tree, session } = await core.peers.subscribe(peerId, request.addresses, request.signal);
  host.connected();
  const answer = new Answer();
  const input = makeInput(core, request, host, answer, true);
  tree.onEnd = (end) => {
    input.end();
    const wasRefused = end === "rejected" && !answer.isSettled;
    answer.settle(refusal(end, peerId));
    host.ended(wasRefused ? "NetStream.Connect.Rejected" : "NetStream.Connect.Closed");
  };
  tree.onMessage = (_streamId, message, flow, missing) => input.message(message, flow, missing);
  const playback: Playback = {
    session,
    hold: (held) => tree.hold(tree.streamId, held),
    command: (name, args) => writeCommand(tree, name, args),
    receive: (kind, wanted) => {
      input.expect(kind, wanted);
      writeCommand(tree, RECEIVE[kind], [wanted]);
    },
    close: async () => {
      input.end();
      await tree.close();
    },
  };
  writeCommand(tree, "play", [request.name, ...request.args]);
  return { playback, event: await answer.wait(request.signal, playback) };
}

function makeInput(
  core: ConnectionCore,
  request: PlayRequest,
  host: PlaybackHost,
  answer: Answer,
  beginIsStart: boolean,
): PlayInput {
  const begun = (): StatusEvent => makeStatus("NetStream.Play.Start", `Started playing ${request.name}.`);
  const playHost = {
    tag: (tag: FlvTag) => {
      answer.settle(begun());
      host.tag(tag);
    },
    lost: (type: FlvTagType) => host.lost(type),
    status: (event: StatusEvent) => {
      if (event.code === "NetStream.Play.Start" || event.level === "error") answer.settle(event);
      host.status(event);
      if (event.code === "NetStream.Play.Stop") host.ended();
    },
    data: (name: string, args: readonly unknown[]) => host.data(name, args),
    begun: () => {
      if (beginIsStart) answer.settle(begun());
    },
  };
  return new PlayInput(playHost, core.clock, request.reorderMs);
}

function writeCommand(tree: MessageTree, name: string, args: readonly (string | number | boolean)[]): void {
  if (tree.control.isOpen) tree.control.write(encodeCommand({ name, transactionId: 0, commandObject: null, args }));
}

function refusal(end: TreeEnd, peerId: string): StatusEvent {
  const who = `peer ${peerId.slice(0, 12)}…`;
  if (end === "rejected") return makeStatus("NetStream.Connect.Rejected", `${who} refused the subscription`);
  return makeStatus("NetStream.Connect.Closed", `the connection with ${who} ended`);
}

/** How the play command is answered; the first answer holds. */
export class Answer {
  readonly #promise: Promise<StatusEvent>;
  #resolve: (event: StatusEvent) => void = () => {};
  isSettled = false;

  constructor() {
    this.#promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  settle(event: StatusEvent): void {
    this.isSettled = true;
    this.#resolve(event);
  }

  /** The event of a start; anything else closes the playback and is thrown. */
  async wait(signal: AbortSignal, playback: Playback): Promise<StatusEvent> {
    const onAbort = (): void => this.settle(makeStatus("NetStream.Failed", "playing was aborted"));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    const event = await this.#promise;
    signal.removeEventListener("abort", onAbort);
    if (event.code === "NetStream.Play.Start") return event;
    await playback.close();
    throw statusError(event);
  }
}

const RECEIVE = { audio: "receiveAudio", video: "receiveVideo" } as const;
