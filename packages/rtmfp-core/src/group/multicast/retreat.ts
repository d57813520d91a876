/** The way back from what one neighbour alone made us believe of how far a stream is. */
import { beginning } from "./beginning.ts";
import type { Ending } from "./ending.ts";
import type { FragmentStore } from "./fragment-store.ts";
import type { MediaLink } from "./link.ts";
import type { Output } from "./output.ts";
import type { Puller } from "./puller.ts";
import type { PushIn } from "./push-in.ts";

/** What goes back. */
export interface Believers {
  readonly store: FragmentStore;
  readonly ending: Ending;
  readonly output: Output;
  readonly pushIn: PushIn;
  readonly puller: Puller;
}

/**
 * Nothing beyond `id` exists, 0 for nothing at all, as `links` tell. Whoever plays the stream and has had nothing of it yet begins
 * anew. `now` in ms.
 */
export function retreat(
  { store, ending, output, pushIn, puller }: Believers,
  id: number,
  links: readonly MediaLink[],
  isAwaited: boolean,
  now: number,
): void {
  ending.deny(id);
  pushIn.restart(links);
  puller.restart();
  if (id >= store.oldest || output.given > 0 || store.newestHere > 0) {
    store.retract(id);
    store.hear(id, now);
    output.goBack(id);
    return;
  }
  const teller = links.find(({ told }) => told === id);
  store.begin(id === 0 ? 1 : Math.min(id, beginning(teller?.oldest ?? 0, id, isAwaited)));
  store.hear(id, now);
  output.stop();
  output.forget();
}
