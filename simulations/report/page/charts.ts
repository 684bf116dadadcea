import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { BandPoint, Break } from './curves.ts';
import type { SeriesStyle } from './series-style.ts';

/** A line with its band. */
export interface Series {
  /** How it is drawn. */
  readonly style: SeriesStyle;
  /** Points, left to right. */
  readonly band: readonly BandPoint[];
  /** Where runs broke off. */
  readonly breaks: readonly Break[];
}

/** Axes of a chart of lines. */
export interface LineAxes {
  /** What runs to the right, with its unit. */
  readonly x: string;
  /** What runs upwards, with its unit. */
  readonly y: string;
  /** From where to where it runs upwards. */
  readonly domain: readonly [number, number];
  /** A value to compare with, drawn across. */
  readonly reference?: number | undefined;
}

/** Earnings of the two kinds of clients under one rule. */
export interface Earnings {
  /** The rule. */
  readonly rule: string;
  /** Mean of an honest client; null where there is none. */
  readonly honest: number | null;
  /** Mean of an attacker; null where there is none. */
  readonly byzantine: number | null;
}

/** Width of a chart: two stand side by side on a page. */
const WIDTH = 340;

/** Nothing is ever shown in it: Plot makes elements with it. */
const { document } = parseHTML('<!doctype html><html><body></body></html>');

/** Lines with bands, and crosses where runs broke off, as SVG. */
export function lineChart(series: readonly Series[], axes: LineAxes): string {
  return svgOf({
    width: WIDTH,
    height: 220,
    marginLeft: 44,
    marginBottom: 36,
    x: { label: axes.x, nice: true },
    y: { label: axes.y, domain: [...axes.domain], grid: true },
    marks: [
      axes.reference === undefined ? null : Plot.ruleY([axes.reference], { strokeDasharray: '1 3' }),
      ...series.map(({ style, band }) =>
        Plot.areaY(band, { x: 'x', y1: 'low', y2: 'high', fill: style.colour, fillOpacity: 0.13 }),
      ),
      ...series.map(({ style, band }) =>
        Plot.lineY(band, {
          x: 'x',
          y: 'y',
          stroke: style.colour,
          strokeWidth: 1.6,
          ...(style.dashes !== '' && { strokeDasharray: style.dashes }),
        }),
      ),
      ...series.map(({ style, breaks }) =>
        Plot.dot(breaks, { x: 'x', y: 'y', symbol: 'times', stroke: style.colour, strokeWidth: 2 }),
      ),
    ],
  });
}

/** What honest clients and attackers earn under each rule: a dot and a triangle on one line each, as SVG. */
export function earningsChart(earnings: readonly Earnings[], unit: string, most: number): string {
  const labels = new Map(earnings.map(({ rule }) => [rule, inLines(rule)]));
  const longest = Math.max(...[...labels.values()].flatMap((lines) => lines.map((line) => line.length)));
  const deepest = Math.max(...[...labels.values()].map((lines) => lines.length));
  const names = earnings.map(({ rule }) => rule);
  const both = earnings.filter(({ honest, byzantine }) => honest !== null && byzantine !== null);
  return svgOf({
    width: WIDTH,
    height: 56 + Math.max(24, 6 + 12 * deepest) * earnings.length,
    marginLeft: 18 + 7.2 * longest,
    marginBottom: 36,
    x: { label: unit, domain: [0, most > 0 ? most : 1], nice: true, grid: true, ticks: 4 },
    y: { label: null, domain: names, type: 'point', tickFormat: (rule: string) => labels.get(rule)?.join('\n') },
    marks: [
      Plot.ruleY(both, { y: 'rule', x1: 'honest', x2: 'byzantine', stroke: 'currentColor', strokeOpacity: 0.4 }),
      Plot.dot(
        earnings.filter(({ honest }) => honest !== null),
        { x: 'honest', y: 'rule', fill: '#0072b2', r: 4.5 },
      ),
      Plot.dot(
        earnings.filter(({ byzantine }) => byzantine !== null),
        { x: 'byzantine', y: 'rule', symbol: 'triangle', fill: '#d55e00', r: 4.5 },
      ),
    ],
  });
}

/** Characters of a rule's name that a line beside a chart holds. */
const LINE = 22;

/** A name in lines, broken behind `+`, `:` and `,` where it is long. */
function inLines(name: string): string[] {
  const lines: string[] = [];
  for (const part of name.split(/(?<=[+:,])/)) {
    const last = lines.pop();
    if (last === undefined) lines.push(part);
    else if (last.length + part.length > LINE) lines.push(last, part);
    else lines.push(last + part);
  }
  return lines;
}

/** The colours of a value: of its ground and of the text on it. */
export type HeatScale = (value: number) => { readonly ground: string; readonly text: string };

/**
 * Colours of a heat map, from white to dark blue, so that it prints well without colour.
 *
 * @param domain - least and most value
 * @returns the background of a value, and the colour of the text on it: of black and white the one with more contrast
 */
export function heatScale(domain: readonly [number, number]): HeatScale {
  const [least, most] = domain;
  const scale = Plot.scale({ color: { type: 'linear', domain: [0, 1], range: [0, 0.85], scheme: 'Blues' } });
  return (value) => {
    const ground = scale.apply(most > least ? (value - least) / (most - least) : 0.5) as string;
    return { ground, text: luminance(ground) > EVEN ? '#000000' : '#ffffff' };
  };
}

/** The luminance on which black and white text have the same contrast, `sqrt(1.05 * 0.05) - 0.05` (WCAG 2.2). */
const EVEN = 0.179;

/** Relative luminance of `rgb(r, g, b)` (WCAG 2.2). */
function luminance(colour: string): number {
  const [red, green, blue] = (colour.match(/[0-9]+/g) ?? []).map((part) => {
    const value = Number(part) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0);
}

function svgOf(options: Plot.PlotOptions): string {
  const drawing = Plot.plot({ ...options, document: document as never, style: { fontSize: '11px' } as never });
  return (drawing as unknown as { readonly outerHTML: string }).outerHTML;
}
