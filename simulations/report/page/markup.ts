/** HTML that may stand in a page as it is. */
export interface Markup {
  /** The text. */
  readonly markup: string;
}

/** What may stand between pieces of a template: text is escaped, markup is not; null and false are nothing. */
export type Piece = string | number | Markup | null | false | undefined | readonly Piece[];

/**
 * HTML from a template: whatever is put in that is not markup already is escaped, so that nothing an experiment's author
 * (or whoever named a rule's file) has written can become a tag or leave an attribute in double quotes.
 */
export function html(texts: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return { markup: texts.reduce((so, text, index) => so + render(pieces[index - 1]) + text) };
}

/** A name that may be broken behind `+`, `:` and `,`, and nowhere else unless it must. */
export function breakable(name: string): Markup {
  return html`${name.split(/(?<=[+:,])/).map((part, index) => [index > 0 && trusted('<wbr>'), part])}`;
}

/** Marks text as HTML that needs no escape: the output of a library, never text of an experiment. */
export function trusted(markup: string): Markup {
  return { markup };
}

function render(piece: Piece): string {
  if (piece === null || piece === undefined || piece === false) return '';
  if (typeof piece === 'string' || typeof piece === 'number') return escapeHtml(String(piece));
  if ('markup' in piece) return piece.markup;
  return piece.map(render).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}
