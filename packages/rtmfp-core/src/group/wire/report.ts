/** Reports: what members tell each other of themselves and of the members they know. */
import { addressSize, readAddress, type WireAddress, writeAddress } from "../../proto/address.ts";
import { ByteReader, ByteWriter, buildBytes, vluSize } from "../../proto/bytes.ts";
import { type Option, optionListSize, readOption, writeOptionList } from "../../proto/option.ts";
import { decodePeerId, encodePeerId, RAW_PEER_ID_BYTES } from "./peer-id.ts";

/** What one member tells another. */
export interface Report {
  /** Where its sender sees its receiver. */
  readonly you?: WireAddress;
  /** Where its sender is: introducers first, then its own addresses as others saw them. */
  readonly addresses: readonly WireAddress[];
  /** Members that the receiver may want to know. */
  readonly peers: readonly ReportedPeer[];
}

/** A member of whom a report tells. */
export interface ReportedPeer {
  /** 64 lower-case hex digits. */
  readonly peerId: string;
  /** Whole seconds since that member reported to the sender. */
  readonly ageSeconds: number;
  /** Where it is: as in {@link Report.addresses}. */
  readonly addresses: readonly WireAddress[];
}

/** Addresses of one member that are read: an introducer and seven of its own, as many as live peers keep. The others are skipped. */
export const MAX_REPORTED_ADDRESSES = 8;
/** Members of one report that are read, several times what the largest group's reports tell of. The others are skipped. */
export const MAX_REPORTED_PEERS = 256;

/** Bytes of a report, as they follow its type; a new array. Throws RangeError for what is no peer ID or IP address. */
export function encodeReport(report: Report): Uint8Array {
  const head: Option[] = [...youOption(report.you), addressOption(report.addresses)];
  const records = report.peers.map((peer) => ({ ...peer, options: [addressOption(peer.addresses)] }));
  const size = records.reduce(
    (sum, { ageSeconds, options }) => sum + 1 + RAW_PEER_ID_BYTES + vluSize(ageSeconds) + optionListSize(options),
    optionListSize(head),
  );
  const writer = new ByteWriter(new Uint8Array(size));
  writeOptionList(writer, head);
  for (const { peerId, ageSeconds, options } of records) {
    writer.vlu(RAW_PEER_ID_BYTES);
    writer.put(encodePeerId(peerId));
    writer.vlu(ageSeconds);
    writeOptionList(writer, options);
  }
  return writer.bytes;
}

/** Reads to the end of `reader`; undefined for what is malformed. Options and kinds of peers that nobody knows are skipped. */
export function readReport(reader: ByteReader): Report | undefined {
  const head = readAddressOptions(reader);
  const peers: ReportedPeer[] = [];
  while (reader.remaining > 0 && peers.length < MAX_REPORTED_PEERS) {
    const peerId = decodePeerId(reader.take(reader.vlu()));
    const ageSeconds = reader.vlu();
    const { addresses } = readAddressOptions(reader);
    if (peerId !== undefined) peers.push({ peerId, ageSeconds, addresses });
  }
  return reader.failed ? undefined : { ...head, peers };
}

function readAddressOptions(reader: ByteReader): Pick<Report, "you" | "addresses"> {
  let you: WireAddress | undefined;
  let addresses: readonly WireAddress[] = [];
  for (;;) {
    const option = readPlainSized(reader) ?? readOption(reader);
    if (option === undefined) break;
    if (option.type === YOU) [you] = readAddresses(option.value, 1);
    if (option.type === ADDRESSES) addresses = readAddresses(option.value, MAX_REPORTED_ADDRESSES);
  }
  return you === undefined ? { addresses } : { you, addresses };
}

/**
 * A list of addresses whose length stands in one byte rather than in a VLU, as some peers write it: as a VLU, bytes above
 * 0x81 would begin a list of more addresses than anybody sends.
 */
function readPlainSized(reader: ByteReader): Option | undefined {
  const length = reader.bytes[reader.pos] as number;
  if (reader.remaining < 2 || length <= 0x81 || reader.bytes[reader.pos + 1] !== ADDRESSES) return undefined;
  reader.pos += 2;
  return { type: ADDRESSES, value: reader.take(length - 1) };
}

/** The first `most` addresses; what is cut off within one is no address. */
function readAddresses(bytes: Uint8Array, most: number): WireAddress[] {
  const reader = new ByteReader(bytes);
  const addresses: WireAddress[] = [];
  while (reader.remaining > 0 && addresses.length < most) {
    const address = readAddress(reader);
    if (!reader.failed) addresses.push(address);
  }
  return addresses;
}

function youOption(you: WireAddress | undefined): Option[] {
  return you === undefined ? [] : [{ type: YOU, value: addressBytes([you]) }];
}

function addressOption(addresses: readonly WireAddress[]): Option {
  return { type: ADDRESSES, value: addressBytes(addresses) };
}

function addressBytes(addresses: readonly WireAddress[]): Uint8Array {
  const size = addresses.reduce((sum, address) => sum + addressSize(address), 0);
  return buildBytes(size, (writer) => {
    for (const address of addresses) writeAddress(writer, address);
  });
}

const YOU = 0x0d;
const ADDRESSES = 0x0a;
