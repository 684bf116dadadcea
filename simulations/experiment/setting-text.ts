import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when a name with its settings is not written as one. */
export class SettingError extends FedanchorError<'experiment/bad-setting'> {}

/** Names with settings, such as `NNM+Krum:neighbours=original`, taken apart. */
export interface SettingText {
  /** What stands before the colon, parted at each `+`; a path is never parted. */
  readonly names: readonly string[];
  /** What follows it, as written. */
  readonly params: Readonly<Record<string, string>>;
}

/**
 * Takes apart names with settings. A setting without a name is kept under `''`, for who knows which one it is.
 *
 * @throws SettingError `experiment/bad-setting`
 */
export function readSettingText(text: string): SettingText {
  const colon = text.indexOf(':');
  const whole = colon < 0 ? text : text.slice(0, colon);
  // A path may have a plus in it, and stands last.
  const path = /(^|\+)\s*((\.{1,2}\/|\/).*)$/.exec(whole);
  const before = path === null ? whole : whole.slice(0, path.index);
  const names = [...(before === '' ? [] : before.split('+')), ...(path === null ? [] : [path[2] as string])];
  const params: Record<string, string> = {};
  for (const setting of colon < 0 ? [] : text.slice(colon + 1).split(',')) {
    const parts = setting.split('=').map((part) => part.trim());
    const [name, value] = parts.length === 1 ? ['', parts[0]] : parts;
    if (name === undefined || !value || parts.length > 2 || Object.hasOwn(params, name)) {
      const sentence = `"${setting}" in "${text}" is not a setting: write each once, as name=value, with commas between`;
      throw new SettingError('experiment/bad-setting', sentence, { text, setting });
    }
    params[name] = value;
  }
  return { names: names.map((name) => name.trim()), params };
}

/** Names with settings as they are shown: `NNM+Krum:neighbours=original`. */
export function settingText(names: readonly string[], params: Readonly<Record<string, string | number>>): string {
  const settings = Object.entries(params).map(([name, value]) => (name === '' ? value : `${name}=${value}`));
  return settings.length === 0 ? names.join('+') : `${names.join('+')}:${settings.join(',')}`;
}
