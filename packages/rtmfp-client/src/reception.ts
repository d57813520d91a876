/** Which kinds a player wants to receive, and whether any at present. */
import type { Playback } from "./playback.ts";

/** Remembers what was asked for, so that it holds for the next stream too. */
export class Reception {
  readonly #isFromServer: boolean;
  #audio = true;
  #video = true;
  #paused = false;

  /** A server has a command to pause; a peer is asked for neither sound nor pictures. */
  constructor(isFromServer: boolean) {
    this.#isFromServer = isFromServer;
  }

  get paused(): boolean {
    return this.#paused;
  }

  receiveAudio(wanted: boolean, playback: Playback | undefined): void {
    this.#audio = wanted;
    if (this.#isAsked) playback?.receive("audio", wanted);
  }

  receiveVideo(wanted: boolean, playback: Playback | undefined): void {
    this.#video = wanted;
    if (this.#isAsked) playback?.receive("video", wanted);
  }

  /** `timestamp` is the stream's time, ms. */
  pause(paused: boolean, playback: Playback, timestamp: number): void {
    this.#paused = paused;
    if (this.#isFromServer) playback.command("pause", [paused, timestamp]);
    else {
      playback.receive("audio", this.#audio && !paused);
      playback.receive("video", this.#video && !paused);
    }
  }

  /** Another stream is played: it is not paused, and is told what else was asked for. */
  begin(playback: Playback): void {
    this.#paused = false;
    if (!this.#audio) playback.receive("audio", false);
    if (!this.#video) playback.receive("video", false);
  }

  /** While a peer's stream is paused, what is wanted is said when it goes on. */
  get #isAsked(): boolean {
    return this.#isFromServer || !this.#paused;
  }
}
