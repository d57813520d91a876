/** The results of a connectivity check in words. */
import type { CheckResults } from "./check.ts";

/** What was found out; the fields that matter here. */
export type Findings = Omit<CheckResults, "code" | "level" | "description" | "details">;

/** One line for each thing found out or not, and the verdict last. */
export function describeCheck(findings: Findings): readonly string[] {
  const { publicAddress = "an unknown address" } = findings;
  return [
    `the server sees you at ${publicAddress}${translation(findings)}`,
    `packets from another port of the server: ${letIn(findings.receiveSameAddressDifferentPortAllowed)}`,
    `packets from an address you have never sent to: ${letIn(findings.receiveDifferentAddressDifferentPortAllowed)}`,
    `packets to a peer you have been introduced to: ${letOut(findings)}`,
    `verdict: ${verdict(findings)}`,
  ];
}

function translation({ publicAddress, publicAddressIsLocal, publicPortMatchesLocalPort }: Findings): string {
  // Loopback addresses are never reported to a server.
  if (/^(127\.|\[::1\])/.test(publicAddress ?? "")) return ", on its own host";
  if (publicAddressIsLocal === undefined) return "";
  if (publicAddressIsLocal) return ", which is your own address: there is no NAT";
  return `: you are behind a NAT, which ${publicPortMatchesLocalPort === true ? "keeps" : "changes"} your port`;
}

function letIn(allowed: boolean | undefined): string {
  if (allowed === undefined) return NOT_TESTED;
  return allowed ? "let in" : "kept out";
}

function letOut(findings: Findings): string {
  if (findings.sendAfterIntroductionAllowed === false) return "none came out";
  if (isSymmetric(findings)) return "come from another port or address each time";
  return findings.sendAfterIntroductionPreservesSourcePort === undefined ? NOT_TESTED : "come from the same port";
}

function verdict(findings: Findings): string {
  if (isSymmetric(findings))
    return "a symmetric NAT: only peers whose network lets in packets from any port can be met; forward a UDP port, or stream through the server";
  if (findings.sendAfterIntroductionAllowed === false)
    return "peers cannot be met: a firewall keeps UDP to other addresses in; let it out, or stream through the server";
  if (findings.publicAddressIsLocal === true && findings.receiveSameAddressDifferentPortAllowed === true)
    return "peers can reach you directly";
  if (findings.sendAfterIntroductionPreservesSourcePort === true)
    return "peers can be met after an introduction, unless their NAT is symmetric and yours keeps out what you have not sent to";
  if (findings.receiveSameAddressDifferentPortAllowed === undefined)
    return "not known: the server could not test your network";
  return "peers can probably be met after an introduction; a server with more addresses could say for sure";
}

function isSymmetric(findings: Findings): boolean {
  return (
    findings.sendAfterIntroductionPreservesSourcePort === false ||
    findings.sendAfterIntroductionPreservesSourceAddress === false
  );
}

const NOT_TESTED = "not tested, the server has too few addresses";
