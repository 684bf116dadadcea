/** A block of commands as a page gives it. */
export interface Block {
  readonly text: string;
  /** Runs in a terminal of its own, where it stays. */
  readonly isBackground: boolean;
  /** What it says before the next step is taken. */
  readonly until: string | undefined;
}

/** The blocks of commands of a page, in order. */
export function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```sh(.*)\n([\s\S]*?)^```$/gm)].map(([, info = '', text = '']) => ({
    text,
    isBackground: info.includes('background'),
    until: /until="([^"]*)"/.exec(info)?.[1],
  }));
}

/** One script of all blocks: each in the background writes to a log, and is waited for where the page says so. */
export function scriptOf(blocks: readonly Block[], before = ''): string {
  const steps = blocks.map(({ text, isBackground, until }, index) => {
    if (!isBackground) return text;
    const log = `terminal-${index}.log`;
    const wait = until === undefined ? '' : `until grep -q '${until}' ${log}; do sleep 0.1; done\n`;
    return `{ ${text.trim()}; } > ${log} 2>&1 &\n${wait}`;
  });
  return `set -e -o pipefail\nfedanchor() { "$NODE" "$ENTRY" "$@"; }\n${before}\n${steps.join('\n')}\necho THE PAGE IS DONE\n`;
}
