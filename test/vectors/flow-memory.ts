/** What listings say about flows and messages beyond single packets. § means RFC 7016. */
import { FragmentControl, toHex, type UserDataChunk } from "rtmfp-core/proto";

/** A message, as far as its fragments came one after another. */
interface Message {
  readonly nextSequence: number;
  readonly length: number;
  readonly firstByte: number | undefined;
}

/** Metadata of flows, and messages in fragments; one per scenario. */
export class FlowMemory {
  readonly #metadata = new Map<string, string>();
  readonly #messages = new Map<string, Message>();

  /** The flow's metadata (§2.3.11.1.1) in hex; undefined if the flow began before the recording. */
  metadata(flow: string, chunk: UserDataChunk): string | undefined {
    const option = chunk.options?.find(({ type }) => type === METADATA);
    if (option !== undefined) this.#metadata.set(flow, toHex(option.value));
    return this.#metadata.get(flow);
  }

  /** The message that this fragment completes; undefined if it completes none, or a fragment before it is missing. */
  message(flow: string, sequence: number, chunk: UserDataChunk): Message | undefined {
    const control = (chunk.flags >> 4) & 3;
    const first = control === FragmentControl.whole || control === FragmentControl.begin;
    const before = first ? undefined : this.#messages.get(flow);
    this.#messages.delete(flow);
    if (!first && before?.nextSequence !== sequence) return undefined;
    const message = {
      nextSequence: sequence + 1,
      length: (before?.length ?? 0) + chunk.data.length,
      firstByte: before === undefined ? chunk.data[0] : before.firstByte,
    };
    if (control === FragmentControl.whole || control === FragmentControl.end) return message;
    this.#messages.set(flow, message);
    return undefined;
  }
}

const METADATA = 0;
