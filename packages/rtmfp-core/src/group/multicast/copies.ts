/** How many neighbours each fragment is pushed to. */
import type { MediaLink } from "./link.ts";
import { MAX_COPIES, NEIGHBOURS_PER_COPY } from "./params.ts";

/** What it depends on: the setting, and for a publisher its neighbours. */
export interface CopiesHost {
  readonly isOwn: boolean;
  readonly settings: { readonly pushLimit: number };
  readonly links: readonly MediaLink[];
}

/** As many as make it likely that one of them stays, and no more than are worth it. */
export function copiesOf({ isOwn, settings: { pushLimit }, links }: CopiesHost): number {
  if (pushLimit === 0) return 0;
  if (!isOwn) return pushLimit + 1;
  const up = links.reduce((count, link) => count + (link.isUp ? 1 : 0), 0);
  const worthwhile = Math.max(1, Math.min(MAX_COPIES, Math.floor(up / NEIGHBOURS_PER_COPY) + 1));
  return Math.min(pushLimit + 1, worthwhile);
}
