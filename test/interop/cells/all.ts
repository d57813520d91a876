import type { Cell } from "../harness/cell.ts";
import { checkCells } from "./check.ts";
import { echoCells } from "./echo.ts";
import { mediaCells } from "./media.ts";
import { pinCells } from "./pin.ts";
import { redirectCells } from "./redirect.ts";
import { relayCells } from "./relay.ts";
import { rulesCells } from "./rules.ts";
import { tokenCells } from "./tokens.ts";

/** The matrix, in the order in which it is played. */
export const cells: readonly Cell[] = [
  ...echoCells,
  ...mediaCells,
  ...redirectCells,
  ...checkCells,
  ...pinCells,
  ...tokenCells,
  ...rulesCells,
  ...relayCells,
];
