/**
 * Anti-replay window over 64-bit session sequence numbers (§4.7.3.3): a ring of bits that is cleared a word at a
 * time as it moves (RFC 6479). § means RFC 7425.
 */
export class ReplayWindow {
  /** 32 bits in each; a plain array takes half the room of a typed one. */
  private readonly seen: number[] = [0, 0, 0, 0, 0, 0, 0, 0];
  private topHigh = 0;
  private topLow = 0;

  /**
   * Takes the number `high * 2^32 + low`. False if it was taken before or lies {@link REPLAY_WINDOW} or more below
   * the highest taken. Call it only once the packet has verified.
   */
  accept(high: number, low: number): boolean {
    // Exact where it matters: a distance too large for a double is far outside the window either way.
    const ahead = (high - this.topHigh) * 0x1_0000_0000 + (low - this.topLow);
    if (ahead <= -REPLAY_WINDOW) return false;
    if (ahead > 0) {
      const words = Math.floor(((this.topLow & 31) + ahead) / 32);
      const topWord = this.topLow >>> 5;
      for (let i = 1; i <= words && i <= WORDS; i++) this.seen[(topWord + i) % WORDS] = 0;
      this.topHigh = high;
      this.topLow = low;
    }
    const word = (low >>> 5) % WORDS;
    const bit = 1 << (low & 31);
    const seen = this.seen[word] as number;
    if ((seen & bit) !== 0) return false;
    this.seen[word] = seen | bit;
    return true;
  }
}

/** Length of the ring. */
const WORDS = 8;
/** How far packets may be reordered, in sequence numbers; §4.7.3.3 asks for 32. */
export const REPLAY_WINDOW: number = 32 * (WORDS - 1);
