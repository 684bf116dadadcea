/** What a field of a table of numbers may hold; null is written as nothing. */
export type Field = string | number | null;

/** A table as RFC 4180 has it, with LF between lines; numbers with ten significant digits at most. */
export function csvOf(head: readonly string[], rows: readonly (readonly Field[])[]): string {
  return [head, ...rows].map((row) => `${row.map(write).join(',')}\n`).join('');
}

function write(field: Field): string {
  if (field === null) return '';
  if (typeof field === 'number') return String(Number(Number(field.toFixed(12)).toPrecision(10)));
  return /[",\n\r]/.test(field) || field !== field.trim() ? `"${field.replaceAll('"', '""')}"` : field;
}
