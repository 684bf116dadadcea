import { describe, expect, it } from 'vitest';
import { guaranteeOf } from '../../../shared/aggregation/guarantee.ts';
import { compilePipeline } from '../../../shared/aggregation/pipeline.ts';
import { PRE_AGGREGATORS, parseRuleSpec, RULES, resolveRule } from '../../../shared/aggregation/registry.ts';
import { RuleError } from '../../../shared/aggregation/rule-error.ts';
import { largestF } from './arbitraries.ts';

function refusalOf(run: () => unknown): RuleError {
  try {
    run();
  } catch (error) {
    if (error instanceof RuleError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('names', () => {
  it('are found by alias and in any letter case, and belong to one rule each', () => {
    expect(resolveRule('mean').name).toBe('Average');
    expect(resolveRule('TRIMMED-mean').name).toBe('TrMean');
    expect(resolveRule('multikrum').name).toBe('MultiKrum');
    const names = [...RULES, ...PRE_AGGREGATORS].flatMap((rule) => [rule.name, ...rule.aliases]);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
  });

  it('that are unknown are refused with the nearest known one', () => {
    const refusal = refusalOf(() => resolveRule('mediann'));
    expect(refusal.code).toBe('rule/unknown');
    expect(refusal.message).toContain('"mediann"');
    expect(refusal.message).toContain('did you mean "Median"?');
    expect(refusal.message).toContain('TrMean or trimmed-mean');
    expect(refusalOf(() => resolveRule('zzzzzzzzzz')).message).not.toContain('did you mean');
    expect(refusalOf(() => parseRuleSpec('NMM+Krum')).message).toContain('pre-aggregator "NMM": did you mean "NNM"?');
    expect(refusalOf(() => parseRuleSpec('Krum+NNM')).code).toBe('rule/unknown');
  });
});

describe('parseRuleSpec', () => {
  it('reads text and objects into one canonical form, and that form into itself', () => {
    const spec = parseRuleSpec('nnm + multi-krum : f=2, neighbours=original, m=3');
    expect(spec).toEqual({ rule: 'MultiKrum', pre: ['NNM'], f: 2, params: { m: 3, neighbours: 'original' } });
    expect(JSON.stringify(parseRuleSpec(spec))).toBe(JSON.stringify(spec));
    const other = { rule: 'multi-krum', pre: ['NNM'], f: 2, params: { neighbours: 'original', m: 3 } };
    expect(JSON.stringify(parseRuleSpec(other))).toBe(JSON.stringify(spec));
    expect(parseRuleSpec('mean')).toEqual({ rule: 'Average', pre: [], f: 0, params: {} });
    expect(parseRuleSpec('Krum').params).toEqual({ neighbours: 'byzfl' });
    expect(parseRuleSpec('MultiKrum:m=n-f-2').params).toEqual({ m: 'n-f-2', neighbours: 'byzfl' });
  });

  it('takes real numbers, as text too, and names them by their owner where asked', () => {
    expect(parseRuleSpec('GeometricMedian').params).toEqual({ T: 3, nu: 0.1, tolerance: 0 });
    expect(parseRuleSpec('gm:nu=1e-6,T=100').params).toEqual({ T: 100, nu: 1e-6, tolerance: 0 });
    expect(parseRuleSpec('CenteredClipping:tau=.5').params).toEqual({ L: 1, tau: 0.5 });
    const owned = parseRuleSpec({
      rule: 'CenteredClipping',
      pre: ['Clipping', 'Bucketing'],
      params: { 'clipping.c': 0.25, 'centered-clipping.L': '3', s: 2 },
    });
    expect(owned).toMatchObject({ pre: ['Clipping', 'Bucketing'], params: { L: 3, c: 0.25, s: 2, tau: 100 } });
    expect(JSON.stringify(parseRuleSpec(JSON.parse(JSON.stringify(owned))))).toBe(JSON.stringify(owned));
  });

  it.each([
    ['TrMean:m=2', 'rule/unknown-parameter', '"m"'],
    ['Krum:neighbors=epfl', 'rule/unknown-parameter', 'did you mean "neighbours"?'],
    ['Krum:neighbours=all', 'rule/bad-parameter', 'byzfl, original, epfl'],
    ['Krum:neighbours=3', 'rule/bad-parameter', '"neighbours"'],
    ['MultiKrum:m=0', 'rule/bad-parameter', 'an integer from 1'],
    ['MultiKrum:m=1.5', 'rule/bad-parameter', '"m"'],
    ['MultiKrum:m=', 'rule/bad-parameter', 'name=value'],
    ['MultiKrum:m=1,m=2', 'rule/bad-parameter', 'once'],
    ['MultiKrum:m=1=2', 'rule/bad-parameter', 'name=value'],
    ['TrMean:f=-1', 'rule/bad-parameter', 'whole number'],
    ['TrMean:f=one', 'rule/bad-parameter', 'whole number'],
    ['TrMean:', 'rule/bad-parameter', 'name=value'],
    ['GeometricMedian:nu=0', 'rule/bad-parameter', 'a positive number'],
    ['GeometricMedian:nu=-1', 'rule/bad-parameter', 'a positive number'],
    ['GeometricMedian:nu=1e999', 'rule/bad-parameter', 'a positive number'],
    ['GeometricMedian:nu=0x10', 'rule/bad-parameter', 'a positive number'],
    ['GeometricMedian:tolerance=NaN', 'rule/bad-parameter', 'a non-negative number'],
    ['GeometricMedian:T=2.5', 'rule/bad-parameter', 'an integer from 1'],
    ['Bucketing+Median:s=0', 'rule/bad-parameter', 'an integer from 1'],
    ['Clipping+Median:Clipping.d=1', 'rule/unknown-parameter', 'did you mean "Clipping.c"?'],
    ['Clipping+Median:ARC.c=1', 'rule/unknown-parameter', '"ARC.c"'],
    ['Median:Median.c=1', 'rule/unknown-parameter', 'it takes none'],
    ['Clipping+Median:Clipping.c=1,c=2', 'rule/bad-parameter', 'given twice'],
    ['Median:.c=1', 'rule/unknown-parameter', '".c"'],
    ['', 'rule/unknown', ''],
  ])('refuses %j', (text, code, words) => {
    const refusal = refusalOf(() => parseRuleSpec(text));
    expect(refusal.code).toBe(code);
    expect(refusal.message).toContain(words);
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53])('refuses f = %d', (f) => {
    expect(refusalOf(() => parseRuleSpec({ rule: 'Median', f })).code).toBe('rule/bad-parameter');
  });

  it('does not mistake what every object inherits for a parameter', () => {
    expect(refusalOf(() => parseRuleSpec('Krum:constructor=1')).code).toBe('rule/unknown-parameter');
    expect(refusalOf(() => parseRuleSpec(JSON.parse('{"rule":"Krum","params":{"__proto__":1}}'))).code).toBe(
      'rule/unknown-parameter',
    );
  });
});

describe('breakdown bounds', () => {
  it('are those of the definitions, for every rule and pre-aggregator', () => {
    for (const member of [...RULES, ...PRE_AGGREGATORS]) {
      for (let n = 1; n <= 40; n += 1) {
        const bound = largestF(member.name, n);
        // Two rules search exactly, and refuse what would take too long before their bound is reached.
        if (member.name === 'MDA' || member.name === 'SMEA') continue;
        for (let f = 0; f <= n; f += 1) {
          if (f <= bound) expect(() => member.validate(n, f), `${member.name} ${n} ${f}`).not.toThrow();
          else {
            const refusal = refusalOf(() => member.validate(n, f));
            expect(refusal.code).toBe('rule/too-many-faulty');
            expect(refusal.data).toEqual({ rule: member.name, n, f, bound });
          }
        }
      }
    }
  });

  it('of MDA and SMEA are 2f < n, and what can be searched exactly', () => {
    for (const [rule, n, f] of [
      ['MDA', 100, 24],
      ['SMEA', 20, 5],
      ['SMEA', 45, 3],
    ] as const) {
      expect(() => resolveRule(rule).validate(n, f)).not.toThrow();
    }
    for (const [rule, n, f, words] of [
      ['MDA', 10, 5, 'at most f = 4'],
      ['SMEA', 10, 5, 'at most f = 4'],
      ['MDA', 100, 25, 'exponential'],
      ['SMEA', 24, 6, 'every set'],
      ['SMEA', 128, 63, 'every set'],
    ] as const) {
      const refusal = refusalOf(() => resolveRule(rule).validate(n, f));
      expect(refusal.code).toBe('rule/too-many-faulty');
      expect(refusal.message).toContain(words);
    }
  });

  it('hold for buckets where there are buckets', () => {
    expect(compilePipeline(parseRuleSpec('Bucketing+TrMean:s=3,f=1'), 9, true).n).toBe(9);
    const refusal = refusalOf(() => compilePipeline(parseRuleSpec('Bucketing+TrMean:s=3,f=2'), 9, true));
    expect(refusal.data).toEqual({ rule: 'TrMean', n: 3, f: 2, bound: 1 });
  });

  it('hold for every member of a pipeline', () => {
    expect(refusalOf(() => compilePipeline(parseRuleSpec('NNM+Krum:f=2'), 6, true)).data['rule']).toBe('Krum');
    expect(refusalOf(() => compilePipeline(parseRuleSpec('NNM+Average:f=1'), 6, true)).data['rule']).toBe('Average');
    expect(refusalOf(() => compilePipeline(parseRuleSpec('NNM+Median:f=3'), 6, true)).data['rule']).toBe('NNM');
  });

  it('cannot be waived where a rule has no value left', () => {
    for (const text of ['TrMean:f=2', 'NNM+TrMean:f=2', 'Krum:f=4', 'Median:f=4']) {
      const refusal = refusalOf(() => compilePipeline(parseRuleSpec(text), 4, false));
      expect(refusal.code).toBe('rule/too-many-faulty');
    }
    expect(compilePipeline(parseRuleSpec('Krum:f=1'), 3, false).rule.name).toBe('Krum');
  });

  it('include a count of selected updates that the participants allow', () => {
    const compile = (text: string) => () => compilePipeline(parseRuleSpec(text), 7, true);
    expect(compile('MultiKrum:f=2,m=5')).not.toThrow();
    expect(refusalOf(compile('MultiKrum:f=2,m=6')).code).toBe('rule/bad-parameter');
    expect(refusalOf(compile('MultiKrum:f=2,m=6')).data).toMatchObject({ parameter: 'm', value: 6, n: 7, f: 2 });
    expect(compile('MultiKrum:f=2,m=n-f-2')).not.toThrow();
    expect(refusalOf(compile('MoNNA:f=2,idx=7')).data).toMatchObject({ parameter: 'idx', value: 7, n: 7 });
    expect(refusalOf(compile('FLTrust:f=2,root=7')).data).toMatchObject({ parameter: 'root', value: 7, n: 7 });
    expect(refusalOf(compile('DnC:f=3,filter_frac=2.5')).data).toMatchObject({ parameter: 'filter_frac', n: 7, f: 3 });
    expect(compile('DnC:f=3,filter_frac=2')).not.toThrow();
  });
});

describe('guaranteeOf', () => {
  it('is that of the weakest member, at the number of participants', () => {
    const settled = [
      'Average',
      'Median',
      'TrMean',
      'Meamed',
      'Phocas',
      'SignMajority',
      'Krum',
      'MultiKrum',
      'MoNNA',
      'CGE',
    ];
    for (const { name } of RULES) {
      expect(guaranteeOf(name, 64) === 'settled on chain', name).toBe(settled.includes(name));
      expect(guaranteeOf(name, 65)).toBe('recomputable by anyone');
      for (const { name: pre } of PRE_AGGREGATORS) {
        expect(guaranteeOf(`${pre}+${name}`, 5)).toBe('recomputable by anyone');
      }
    }
    expect(guaranteeOf('Krum:neighbours=original', 20)).toBe('settled on chain');
    expect(guaranteeOf('Krum:neighbours=epfl', 20)).toBe('recomputable by anyone');
  });
});
