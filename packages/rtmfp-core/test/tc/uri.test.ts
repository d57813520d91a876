import fc from "fast-check";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { parseRtmfpUri, RtmfpUriError, type ServerUri } from "../../src/tc/uri.ts";

describe("parseRtmfpUri", () => {
  it(...rfc("R7425-6.1-01", "V1-41"), "takes a server's URI apart", () => {
    expect(server("rtmfp://server.example.com/app/instance")).toEqual({
      kind: "server",
      uri: "rtmfp://server.example.com/app/instance",
      host: "server.example.com",
      port: 1935,
      app: "app",
      instance: "instance",
      query: "",
    });
    expect(server("rtmfp://h:19350/app/a/b?x=1&y=2#f")).toMatchObject({
      port: 19_350,
      app: "app",
      instance: "a/b",
      query: "x=1&y=2",
    });
    expect(server("RTMFP://p2p.example.net/0123456789abcdef/")).toMatchObject({
      app: "0123456789abcdef",
      instance: "",
    });
    expect(server("rtmfp://h")).toMatchObject({ app: "", instance: "" });
    expect(server("rtmfp://h?x")).toMatchObject({ app: "", query: "x" });
  });

  it(...rfc("R7425-6.1-02"), "has 1935 for a port that is not given", () => {
    expect(server("rtmfp://h/a").port).toBe(1935);
    expect(server("rtmfp://h:/a").port).toBe(1935);
  });

  it(...rfc("R7425-6.1-01"), "takes the bare scheme for a connection without a server", () => {
    expect(parseRtmfpUri("rtmfp:")).toEqual({ kind: "serverless", uri: "rtmfp:" });
  });

  it(...rfc("AMB-67"), "takes IP literals in canonical form", () => {
    expect(server("rtmfp://192.0.2.1:80/a")).toMatchObject({ host: "192.0.2.1", port: 80 });
    expect(server("rtmfp://[2001:DB8:0:0::1]:80/a")).toMatchObject({ host: "2001:db8::1", port: 80 });
    expect(server("rtmfp://[::1]").host).toBe("::1");
    expect(server("rtmfp://[::ffff:192.0.2.1]").host).toBe("192.0.2.1");
    expect(server("rtmfp://[::FFFF:c000:201]").host).toBe("192.0.2.1");
  });

  it(...rfc("R7425-6.1-05"), "decodes percent-encoded UTF-8 in the path", () => {
    expect(server("rtmfp://h/caf%C3%A9/a%20b/c%2Fd")).toMatchObject({ app: "café", instance: "a b/c/d" });
  });

  it(...rfc("AMB-67"), "says in one line what is wrong", () => {
    for (const [uri, what] of [
      ["http://h/a", "it does not begin with rtmfp:"],
      ["", "it does not begin with rtmfp:"],
      ["rtmfp:/app", "either nothing or //host"],
      ["rtmfp:host", "either nothing or //host"],
      ["rtmfp:///app", "the host is missing"],
      ["rtmfp://:1935/app", "the host is missing"],
      ["rtmfp://me:secret@h/app", "a user name has no place in it"],
      ["rtmfp://h:0/", "port 0 is not a number from 1 to 65535"],
      ["rtmfp://h:65536/", "port 65536 is not a number from 1 to 65535"],
      ["rtmfp://a%0Ab/", '"a%0Ab" is not a host name'],
      ["rtmfp://h:x/", "port x is not a number from 1 to 65535"],
      ["rtmfp://2001:db8::1/a", "an IPv6 address needs brackets"],
      ["rtmfp://[2001:db8::1::]/a", "is not an IPv6 address"],
      ["rtmfp://[fe80::1%25eth0]/a", "is not an IPv6 address"],
      ["rtmfp://256.1.1.1/a", "256.1.1.1 is not an IPv4 address"],
      ["rtmfp://a b/a", '"a b" is not a host name'],
      ["rtmfp://h/%zz", '"%zz" is not percent-encoded UTF-8'],
      ["rtmfp://h/%ff", '"%ff" is not percent-encoded UTF-8'],
    ] as const) {
      expect(() => parseRtmfpUri(uri)).toThrow(RtmfpUriError);
      expect(() => parseRtmfpUri(uri)).toThrow(what);
    }
  });

  it("throws nothing else for any text, and always one line", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string().map((rest) => `rtmfp://${rest}`),
    );
    fc.assert(
      fc.property(text, (uri) => {
        try {
          parseRtmfpUri(uri);
        } catch (error) {
          expect(error).toBeInstanceOf(RtmfpUriError);
          expect((error as Error).message).not.toMatch(/[\r\n]/);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

function server(uri: string): ServerUri {
  const parsed = parseRtmfpUri(uri);
  if (parsed.kind !== "server") throw new Error("a server's URI expected");
  return parsed;
}
