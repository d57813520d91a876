import { readFileSync } from "node:fs";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { decodeJoin, decodeMember, encodeJoin, encodeMember, isMembership } from "../../src/group/membership.ts";
import type { UserDataChunk } from "../../src/proto/chunk/types.ts";
import { decodePacket, fromHex, toHex } from "../../src/proto/index.ts";

const GROUP = "c3ab09fc9d3fd2fe3f4f82762c530b96f2eb1c49d9fe615f48f250545b731dc9";

/** What a live client and its server wrote to the flows of a membership. */
function recorded(): { direction: string; message: Uint8Array }[] {
  const url = new URL("../../../../test/fixtures/vectors/mona.json", import.meta.url);
  const { scenarios } = JSON.parse(readFileSync(url, "utf8")) as {
    scenarios: { packets: { direction: string; plaintext: string }[] }[];
  };
  return scenarios.flatMap(({ packets }) =>
    packets.flatMap(({ direction, plaintext }) => {
      // A checksum of two bytes is in front of the packet.
      const chunks = decodePacket(fromHex(plaintext).subarray(2))?.chunks ?? [];
      return chunks.flatMap((chunk) => {
        const metadata = (chunk as UserDataChunk).options?.find(({ type }) => type === 0)?.value;
        if (metadata === undefined || !isMembership(metadata)) return [];
        return [{ direction, message: (chunk as UserDataChunk).data }];
      });
    }),
  );
}

describe("the messages of a membership", () => {
  it(...rfc("C-8", "O-2"), "are those that were recorded of a live client and its server", () => {
    const [join, member, ...others] = recorded();
    expect(others).toEqual([]);
    expect([join?.direction, member?.direction]).toEqual(["out", "in"]);
    expect(decodeJoin(join?.message as Uint8Array)).toEqual({ groupId: fromHex(GROUP) });
    expect(encodeJoin({ groupId: fromHex(GROUP) })).toEqual(join?.message);
    const peerId = decodeMember(member?.message as Uint8Array) as string;
    expect(peerId).toBe("e7135a151f35f7f8baa84d06096faee1ec2d47383dc48a12e294e2c8c3b69d76");
    expect(encodeMember(peerId)).toEqual(member?.message);
  });

  it(...rfc("C-8"), "name a group by its groupspec where the client is an old one", () => {
    const text = "G:0101010c050e6f726632";
    const bytes = encodeJoin({ groupspec: text });
    expect(toHex(bytes)).toBe(`011710${toHex(new TextEncoder().encode(text))}`);
    expect(decodeJoin(bytes)).toEqual({ groupspec: text });
  });

  it(
    ...rfc("C-8"),
    "are read past options that nobody knows, and are nothing where they are cut or of another type",
    () => {
      expect(decodeJoin(fromHex(`010277ff2115${GROUP}`))).toEqual({ groupId: fromHex(GROUP) });
      for (const wrong of ["", "01", "0100", "0105150102", "0102150f", `022115${GROUP}`, `012115${GROUP.slice(2)}`]) {
        expect(decodeJoin(fromHex(wrong))).toBeUndefined();
      }
      for (const wrong of ["", "0b", `0a${GROUP}`, `0b${GROUP}00`])
        expect(decodeMember(fromHex(wrong))).toBeUndefined();
    },
  );
});
