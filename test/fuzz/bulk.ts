/** Hostile bulk: pieces as large as datagrams allow, of messages that never end or lie behind a gap. */
import { ByteWriter } from "../../packages/rtmfp-core/src/proto/bytes.ts";
import { encodePacket } from "../../packages/rtmfp-core/src/proto/chunk/codec.ts";
import { ChunkType, FragmentControl, UserDataFlag } from "../../packages/rtmfp-core/src/proto/chunk/types.ts";
import { STARTUP_HEADER } from "../../packages/rtmfp-core/src/proto/packet.ts";
import type { RecvFlow } from "../../packages/rtmfp-core/src/proto/recv-flow.ts";
import type { Prng } from "../../packages/rtmfp-core/src/testing/index.ts";

/**
 * Packets of one flow, which go on where `flows`, those of the receiver, stand. Flows of even numbers have a gap at
 * number 1, the others a message without end.
 */
export function bulk(prng: Prng, mode: 1 | 2, flows: readonly RecvFlow[]): Uint8Array[] {
  const flowId = FIRST_FLOW + prng.int(FLOWS);
  const behindGap = flowId % 2 === 0;
  const seen = flows.find(({ id }) => id === flowId)?.seen;
  const highest = seen === undefined || seen.rangeCount === 0 ? 1 : seen.last(seen.rangeCount - 1);
  const first = behindGap ? highest + 1 : (seen?.contiguous ?? 0) + 1;
  const bytes = prng.chance(0.9) ? LARGE : LARGE.subarray(0, prng.int(LARGE.length));
  const metadata = { type: 0, value: Uint8Array.of(0x62) };
  return Array.from({ length: MOST_PACKETS }, (_, i) => {
    const sequenceNumber = first + i;
    const control = sequenceNumber === 1 ? FragmentControl.begin : FragmentControl.middle;
    const writer = new ByteWriter(new Uint8Array(bytes.length + 100));
    encodePacket(writer, { ...STARTUP_HEADER, mode }, [
      {
        type: ChunkType.userData,
        flags: (control << 4) | UserDataFlag.options,
        flowId,
        sequenceNumber,
        fsnOffset: sequenceNumber,
        options: [metadata],
        data: bytes,
      },
    ]);
    return writer.bytes.subarray(0, writer.pos);
  });
}

const LARGE = new Uint8Array(60_000);
const MOST_PACKETS = 24;
/** Beyond the flows of the fuzzer's other packets. */
const FIRST_FLOW = 1_000;
const FLOWS = 24;
