import type { ClassificationData } from './classification-data.ts';
import { classCount } from './classification-data.ts';
import { DataError } from './data-error.ts';

/** Turns what a record says into a class; `where` names the record, for the error. */
export type LabelReader = (value: unknown, where: string) => number;

const SHOWN = 8;

/**
 * Reads labels as a manifest defines them: by name where it names the classes, else as numbers from 0.
 *
 * @param data - of which `classes` counts
 * @returns a reader that throws DataError `data/bad-label`
 */
export function createLabelReader(data: Pick<ClassificationData, 'classes'>): LabelReader {
  const { classes } = data;
  const count = classCount(data);
  const byName = Array.isArray(classes) ? new Map(classes.map((name, label) => [name, label])) : undefined;
  const expected = Array.isArray(classes)
    ? `one of ${classes.slice(0, SHOWN).join(', ')}${classes.length > SHOWN ? ` and ${classes.length - SHOWN} more` : ''}`
    : `a whole number from 0 to ${count - 1}`;
  return (value, where) => {
    const text = typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : '';
    const label = byName ? byName.get(text) : wholeNumber(text);
    if (label !== undefined && label < count) return label;
    const found = text === '' ? 'there is no label' : `"${text.slice(0, 80)}" is no class of this job`;
    throw new DataError('data/bad-label', `${where}: ${found}; the manifest expects ${expected}`, { where });
  };
}

/** Also of a number that another program wrote as 3.0. */
function wholeNumber(text: string): number | undefined {
  return /^[0-9]{1,9}(\.0*)?$/.test(text) ? Number.parseInt(text, 10) : undefined;
}
