import { blockFormat } from './block-format.ts';
import type { WireFormat } from './format.ts';
import { sparseFormat } from './sparse-format.ts';
import type { WireTerms } from './wire-terms.ts';

/** The format that a manifest's `wire` names; undefined where parts travel as they are. */
export function wireFormat(terms: WireTerms | undefined): WireFormat | undefined {
  switch (terms?.format) {
    case 'int8':
      return blockFormat(8);
    case 'int4':
      return blockFormat(4);
    case 'topk':
      return sparseFormat(terms.keepPerMille);
    default:
      return undefined;
  }
}
