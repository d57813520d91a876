/** The keying steps of a handshake, for all four pairings of static and ephemeral keys (§4.6.1). § means RFC 7425. */
import { concatBytes, packBytes, unpackBytes } from "../../proto/bytes.ts";
import type {
  InitiatorKeying,
  KeyingStep,
  PacketCipher,
  ResponderKeying,
  SessionKeys,
  SessionSecrets,
} from "../../proto/crypto-profile.ts";
import type { DhKeyPair, RandomBytes } from "../dh.ts";
import { COSTLY_GROUP, isAcceptablePublicKey, isKnownGroup, LEGACY_GROUP } from "../dh-groups.ts";
import { type CryptoProvider, HASH_BYTES } from "../primitives.ts";
import type { FlashCertificate } from "./certificate.ts";
import type { FlashIdentity } from "./identity.ts";
import { agreeJob, generateAndAgreeJob, generateJob, resultBytes } from "./jobs.ts";
import {
  buildInitiatorComponent,
  buildResponderComponent,
  type KeyingComponent,
  type KeyMaterialOptions,
  type ProtectionTerms,
  parseComponent,
} from "./keying-component.ts";
import { answerFlags, bears, canSend, offerFlags, type ProtectionSetting, sends } from "./negotiation.ts";
import { createSessionCipher } from "./packet-cipher.ts";
import { deriveSessionKeys } from "./session-key.ts";

/** One end's keys and settings. */
export interface KeyingContext {
  readonly provider: CryptoProvider;
  readonly random: RandomBytes;
  readonly identity: FlashIdentity;
  readonly own: FlashCertificate;
  /** Groups we take part in, our favourite first. */
  readonly groups: readonly number[];
  readonly hmac: ProtectionSetting;
  readonly hmacLength: number;
  readonly sequence: ProtectionSetting;
  readonly exposeSecrets: boolean;
}

/** Initiator, on RHello. Undefined if the far certificate is unfit for keying or shares no group with us. */
export function initiate(context: KeyingContext, far: FlashCertificate): KeyingStep<InitiatorKeying> | undefined {
  if (!hasOneKindOfKeys(context.own) || !hasOneKindOfKeys(far)) return undefined;
  const group = context.groups.find((id) => supports(context.own, id) && supports(far, id));
  if (group === undefined || !staticKeyIsFit(far, group)) return undefined;
  const terms = makeTerms(context, offerFlags(context.hmac), offerFlags(context.sequence));
  const own = context.identity.staticKeys.get(group);
  if (own === undefined) {
    return {
      job: generateJob(group),
      finish: (result) => {
        const publicKey = resultBytes(result, "publicKey");
        const privateKey = resultBytes(result, "privateKey");
        if (publicKey === undefined || privateKey === undefined) return undefined;
        const ephemeral = { group, publicKey, privateKey };
        return awaitResponder(context, far, ephemeral, buildInitiatorComponent({ ephemeral }, terms), terms);
      },
    };
  }
  return {
    job: undefined,
    finish: () => {
      const keys = { groupSelect: group, randomness: context.random(SALT_BYTES) };
      return awaitResponder(context, far, own, buildInitiatorComponent(keys, terms), terms);
    },
  };
}

/** Responder, on IIKeying. Undefined if the component is malformed or unacceptable, or the group is not ours. */
export function respond(
  context: KeyingContext,
  far: FlashCertificate,
  skic: Uint8Array,
): KeyingStep<ResponderKeying> | undefined {
  const component = parseAcceptable(context, skic);
  if (component === undefined || !hasOneKindOfKeys(context.own) || !hasOneKindOfKeys(far)) return undefined;
  const farKey = initiatorKey(far, component);
  if (farKey === undefined) return undefined;
  const { group, publicKey: farPublicKey } = farKey;
  if (!context.groups.includes(group) || !supports(context.own, group)) return undefined;
  if (!isAcceptablePublicKey(group, farPublicKey)) return undefined;
  const farComponent = skic.slice();
  const terms = makeTerms(
    context,
    answerFlags(context.hmac, component.hmacFlags),
    answerFlags(context.sequence, component.sequenceFlags),
  );
  const own = context.identity.staticKeys.get(group);
  const finish = (dhSecret: Uint8Array | undefined, keys: KeyMaterialOptions): ResponderKeying | undefined => {
    if (dhSecret === undefined) return undefined;
    const skrc = buildResponderComponent(keys, terms);
    return {
      skrc,
      keys: makeSessionKeys(context, { group, dhSecret, near: skrc, terms, far: farComponent, component }),
    };
  };
  if (own === undefined) {
    return {
      job: generateAndAgreeJob(group, farPublicKey.slice()),
      costly: group === COSTLY_GROUP,
      finish: (result) => {
        const publicKey = resultBytes(result, "publicKey");
        if (publicKey === undefined) return undefined;
        return finish(resultBytes(result, "secret"), { ephemeral: { group, publicKey } });
      },
    };
  }
  return {
    job: agreeJob(group, own.privateKey, farPublicKey.slice()),
    costly: group === COSTLY_GROUP,
    finish: (result) => finish(resultBytes(result, "secret"), { randomness: context.random(SALT_BYTES) }),
  };
}

function awaitResponder(
  context: KeyingContext,
  far: FlashCertificate,
  own: DhKeyPair,
  skic: Uint8Array,
  terms: ProtectionTerms,
): InitiatorKeying {
  return {
    skic,
    complete: (skrc): KeyingStep<SessionKeys> | undefined => {
      const component = parseAcceptable(context, skrc);
      if (component === undefined) return undefined;
      const { group } = own;
      const farPublicKey = responderKey(far, component, group);
      if (farPublicKey === undefined || !isAcceptablePublicKey(group, farPublicKey)) return undefined;
      const farComponent = skrc.slice();
      return {
        job: agreeJob(group, own.privateKey, farPublicKey.slice()),
        finish: (result) => {
          const dhSecret = resultBytes(result, "secret");
          if (dhSecret === undefined) return undefined;
          return makeSessionKeys(context, { group, dhSecret, near: skic, terms, far: farComponent, component });
        },
      };
    },
  };
}

/** The initiator's group and public key: from its component or, named by it, from its certificate. */
function initiatorKey(
  far: FlashCertificate,
  component: KeyingComponent,
): { readonly group: number; readonly publicKey: Uint8Array } | undefined {
  const { ephemeral, groupSelect } = component;
  if (far.staticKeys.size === 0) return groupSelect === undefined ? ephemeral : undefined;
  if (ephemeral !== undefined || groupSelect === undefined) return undefined;
  const publicKey = far.staticKeys.get(groupSelect);
  return publicKey && { group: groupSelect, publicKey };
}

/** The responder's public key in the group the initiator chose. */
function responderKey(far: FlashCertificate, component: KeyingComponent, group: number): Uint8Array | undefined {
  const { ephemeral } = component;
  if (far.staticKeys.size > 0) return ephemeral === undefined ? far.staticKeys.get(group) : undefined;
  return ephemeral?.group === group ? ephemeral.publicKey : undefined;
}

function parseAcceptable(context: KeyingContext, bytes: Uint8Array): KeyingComponent | undefined {
  const component = parseComponent(bytes);
  if (component === undefined) return undefined;
  const borne = bears(context.hmac, component.hmacFlags) && bears(context.sequence, component.sequenceFlags);
  return borne ? component : undefined;
}

function makeTerms(context: KeyingContext, hmacFlags: number, sequenceFlags: number): ProtectionTerms {
  return { hmacFlags, hmacLength: canSend(hmacFlags) ? context.hmacLength : 0, sequenceFlags };
}

/** §4.3.3.4 and §4.3.3.5 allow either kind of keys, not both; without any there is nothing to agree with. */
function hasOneKindOfKeys(certificate: FlashCertificate): boolean {
  return (certificate.ephemeralGroups.length === 0) !== (certificate.staticKeys.size === 0);
}

function supports(certificate: FlashCertificate, group: number): boolean {
  return isKnownGroup(group) && (certificate.ephemeralGroups.includes(group) || certificate.staticKeys.has(group));
}

function staticKeyIsFit(certificate: FlashCertificate, group: number): boolean {
  const key = certificate.staticKeys.get(group);
  return key === undefined || isAcceptablePublicKey(group, key);
}

function makeSessionKeys(
  context: KeyingContext,
  agreed: {
    readonly group: number;
    readonly dhSecret: Uint8Array;
    readonly near: Uint8Array;
    readonly terms: ProtectionTerms;
    readonly far: Uint8Array;
    readonly component: ProtectionTerms;
  },
): SessionKeys {
  const { group, dhSecret, terms, component } = agreed;
  const secrets = { dhSecret, nearComponent: agreed.near, farComponent: agreed.far };
  const derived = deriveSessionKeys(context.provider, secrets);
  const sendHmacLength = sends(terms.hmacFlags, component.hmacFlags) ? terms.hmacLength : 0;
  const recvHmacLength = sends(component.hmacFlags, terms.hmacFlags) ? component.hmacLength : 0;
  const sendSequence = sends(terms.sequenceFlags, component.sequenceFlags);
  const recvSequence = sends(component.sequenceFlags, terms.sequenceFlags);
  const cipher = createSessionCipher(context.provider, {
    ...derived,
    sendHmacLength,
    recvHmacLength,
    sendSequence,
    recvSequence,
  });
  return new AgreedKeys(
    cipher,
    concatBytes(derived.nearNonce, derived.farNonce),
    { group, nearHmac: sendHmacLength, farHmac: recvHmacLength, nearSequence: sendSequence, farSequence: recvSequence },
    context.exposeSecrets ? secrets : undefined,
  );
}

/** What the keying agreed on, in little room: every session keeps one. */
class AgreedKeys implements SessionKeys {
  readonly cipher: PacketCipher;
  readonly farSequence: boolean;
  readonly secrets?: SessionSecrets;
  /** The near end's, then the far end's, packed. */
  readonly #nonces: string;
  readonly #group: number;
  readonly #nearHmac: number;
  readonly #farHmac: number;
  readonly #nearSequence: boolean;

  constructor(cipher: PacketCipher, nonces: Uint8Array, facts: Facts, secrets: SessionSecrets | undefined) {
    this.cipher = cipher;
    this.#nonces = packBytes(nonces);
    this.#group = facts.group;
    this.#nearHmac = facts.nearHmac;
    this.#farHmac = facts.farHmac;
    this.#nearSequence = facts.nearSequence;
    this.farSequence = facts.farSequence;
    if (secrets !== undefined) this.secrets = secrets;
  }

  get nearNonce(): Uint8Array {
    return unpackBytes(this.#nonces, 0, HASH_BYTES);
  }

  get farNonce(): Uint8Array {
    return unpackBytes(this.#nonces, HASH_BYTES);
  }

  get farHmac(): boolean {
    return this.#farHmac > 0;
  }

  get description(): Readonly<Record<string, number | boolean>> {
    return {
      group: this.#group,
      legacy: this.#group === LEGACY_GROUP,
      nearHmac: this.#nearHmac,
      farHmac: this.#farHmac,
      nearSequence: this.#nearSequence,
      farSequence: this.farSequence,
    };
  }
}

/** Who sends what; lengths in bytes. */
interface Facts {
  readonly group: number;
  readonly nearHmac: number;
  readonly farHmac: number;
  readonly nearSequence: boolean;
  readonly farSequence: boolean;
}

/** Salt beside a static key (§4.5.2.2): as long as a SHA-256 input block, and the length old stacks know. */
const SALT_BYTES = 64;
