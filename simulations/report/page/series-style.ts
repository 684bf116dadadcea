/** How a rule is drawn, the same in every chart of a report. */
export interface SeriesStyle {
  /** Colour. */
  readonly colour: string;
  /** Dashes, as SVG has them; none for a solid line. */
  readonly dashes: string;
  /** Symbol, as Plot names it. */
  readonly symbol: string;
}

/** Colours that are told apart by the colour-blind (Okabe and Ito 2008), without those too light for paper. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#7a5195', '#808080'];

/** Dashes tell lines apart where there is no colour. */
const DASHES = ['', '7 3', '2 2', '9 3 2 3'];

const SYMBOLS = ['circle', 'square', 'triangle', 'diamond', 'star', 'wye'];

/** The style of the series at a place: colours repeat after eight, and then with other dashes. */
export function styleOf(place: number): SeriesStyle {
  const turn = Math.floor(place / COLOURS.length);
  return {
    colour: COLOURS[place % COLOURS.length] as string,
    dashes: DASHES[(place + turn) % DASHES.length] as string,
    symbol: SYMBOLS[place % SYMBOLS.length] as string,
  };
}
