import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { earningsChart, heatScale, lineChart } from '../../../../simulations/report/page/charts.ts';
import { styleOf } from '../../../../simulations/report/page/series-style.ts';

const band = [0, 10, 20].map((x) => ({ x, y: 2 * x, low: 2 * x - 1, high: 2 * x + 1 }));
const axes = { x: 'round', y: 'test accuracy, %', domain: [0, 100] } as const;

describe('charts', () => {
  it('draw a line, a band and a cross for each series, the same twice', () => {
    const series = [0, 1].map((place) => ({ style: styleOf(place), band, breaks: [{ x: 10, y: 20 }] }));
    const svg = lineChart(series, axes);
    expect(lineChart(series, axes)).toBe(svg);
    const { document } = parseHTML(svg);
    expect(document.querySelectorAll('[aria-label="area"] path')).toHaveLength(2);
    expect(document.querySelectorAll('[aria-label="line"] path')).toHaveLength(2);
    expect(document.querySelectorAll('[aria-label="dot"] path')).toHaveLength(2);
    const strokes = [...document.querySelectorAll('[aria-label="line"]')].map((group) => group.getAttribute('stroke'));
    expect(new Set(strokes).size).toBe(2);
  });

  it('tell more rules apart than there are colours', () => {
    const styles = Array.from({ length: 32 }, (_, place) => styleOf(place));
    expect(new Set(styles.map(({ colour, dashes }) => `${colour} ${dashes}`)).size).toBe(32);
  });

  it('write names as text, in as many lines as they need', () => {
    const { document } = parseHTML(
      earningsChart([{ rule: '<b>NNM+GeometricMedian:nu=0.1,T=3', honest: 2, byzantine: 1 }], 'tokens', 2),
    );
    expect(document.querySelectorAll('b')).toHaveLength(0);
    const labels = [...document.querySelectorAll('[aria-label="y-axis tick label"] tspan')];
    expect(labels.map((label) => (label as unknown as { textContent: string }).textContent)).toEqual([
      ...['<b>NNM+', 'GeometricMedian:', 'nu=0.1,T=3'],
    ]);
  });
});

describe('the colours of a heat map', () => {
  const luminance = (colour: string): number => {
    const parts = colour.startsWith('#')
      ? [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
      : (colour.match(/\d+/g) ?? []).map(Number);
    const [red, green, blue] = parts.map((part) =>
      part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4,
    ) as [number, number, number];
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };

  it('darken with the value, with text that is read on each (WCAG 2.2, contrast of 4.5)', () => {
    const scale = heatScale([0.2, 0.8]);
    const steps = Array.from({ length: 61 }, (_, step) => scale(0.2 + step / 100));
    const grounds = steps.map(({ ground }) => luminance(ground));
    expect(grounds).toEqual([...grounds].sort((a, b) => b - a));
    for (const { ground, text } of steps) {
      const [light, dark] = [luminance(ground), luminance(text)].sort((a, b) => b - a) as [number, number];
      expect((light + 0.05) / (dark + 0.05)).toBeGreaterThan(4.5);
    }
  });

  it('are one where all values are', () => {
    expect(heatScale([0.5, 0.5])(0.5).ground).toMatch(/^rgb/);
  });
});
