import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runReview } from '../support/review-run.ts';
import type { ReviewOptions, ReviewRun } from '../support/review-run.ts';
import type { GitRepository } from '../support/git-repository.ts';
import { planted, plantedRepository } from './planted.ts';

const file = join(import.meta.dirname, '../../config/workflows/repo-review.yaml');

interface Finding {
  readonly rule: string;
  readonly severity: string;
  readonly confidence: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly evidence: string;
  readonly title: string;
}

interface Report {
  readonly findings: readonly Finding[];
  readonly unexamined: readonly { readonly what: string; readonly why: string }[];
  readonly withdrawn: readonly { readonly key: string }[];
  readonly scores: readonly { readonly area: string; readonly score: number | null }[];
  readonly aspects: readonly {
    readonly aspect: string;
    readonly tables: readonly {
      readonly title: string;
      readonly rows: readonly (readonly (string | number)[])[];
    }[];
  }[];
}

interface Reviewed {
  readonly run: ReviewRun;
  readonly report: Report;
  readonly markdown: string;
  readonly json: string;
}

let repository: GitRepository;
let reviewed: Reviewed;
let count = 0;

async function review(
  options: ReviewOptions = {},
  target: GitRepository = repository,
): Promise<Reviewed> {
  const out = target.beside(`out-${(count += 1)}`);
  const run = await runReview(file, { path: target.root, out, since: 'all' }, options);
  const json = readFileSync(join(out, 'report.json'), 'utf8');
  expect(readdirSync(out).toSorted()).toEqual(['report.json', 'report.md']);
  return {
    run,
    json,
    report: JSON.parse(json) as Report,
    markdown: readFileSync(join(out, 'report.md'), 'utf8'),
  };
}

function places(rule: string, report: Report = reviewed.report): string[] {
  return report.findings
    .filter((finding) => finding.rule === rule)
    .map((finding) => `${finding.file}:${finding.line}`);
}

beforeAll(async () => {
  repository = plantedRepository();
  reviewed = await review();
}, 60_000);

afterAll(() => repository.remove());

describe('what a review finds', () => {
  it('carries out every task', () => {
    expect([...reviewed.run.errors]).toEqual([]);
  });

  it.each([
    ['secret-aws-access-key', 'deploy.sh:1'],
    ['secret-private-key', 'keys/server.pem:1'],
    ['secret-assigned-secret', 'src/route.js:4'],
    ['secret-url-password', 'src/route.js:5'],
    ['secret-file', 'keys/server.pem:null'],
    ['shell-template', 'src/server.js:7'],
    ['tls-off', 'src/server.js:8'],
    ['yaml-load', 'src/lonely.py:5'],
    ['test-only', 'test/server.test.js:3'],
    ['broken-link', 'README.md:3'],
    ['lost-import', 'src/route.js:2'],
    ['import-cycle', 'src/route.js:1'],
    ['unpinned', 'package.json:5'],
    ['no-lock', 'package.json:4'],
  ])('finds %s at %s and nowhere else', (rule, where) => {
    expect(places(rule)).toEqual([where]);
  });

  it('ranks a secret in a fixture below one in the code', () => {
    const found = (rule: string) =>
      reviewed.report.findings.find((finding) => finding.rule === rule);
    expect(found('secret-aws-access-key')).toMatchObject({
      severity: 'critical',
      confidence: 'high',
    });
    expect(found('secret-github-token')).toMatchObject({
      severity: 'medium',
      confidence: 'low',
      file: 'test/fixtures/sample.txt',
    });
  });

  it('takes neither comments nor vendored files for code', () => {
    expect(places('eval')).toEqual([]);
  });

  it('sorts findings by severity', () => {
    const order = ['critical', 'high', 'medium', 'low'];
    const ranks = reviewed.report.findings.map((finding) => order.indexOf(finding.severity));
    expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
  });

  it('multiplies churn by complexity', () => {
    const table = reviewed.report.aspects.find(({ aspect }) => aspect === 'hotspots')?.tables[0];
    expect(table?.rows[0]?.slice(0, 2)).toEqual(['src/route.js', 2]);
  });

  it('names the modules that no test names', () => {
    const table = reviewed.report.aspects.find(({ aspect }) => aspect === 'tests')?.tables.at(-1);
    expect(table?.rows.map(([path]) => path).toSorted()).toEqual([
      'deploy.sh',
      'src/broken.js',
      'src/lonely.py',
      'src/route.js',
    ]);
  });

  it('says what it left out, and why', () => {
    const told = reviewed.report.unexamined.map(({ what, why }) => `${what}: ${why}`).join('\n');
    expect(told).toContain('1 symbolic links');
    expect(told).toContain('1 vendored files');
    expect(told).toMatch(/binary files: not text \(assets\/logo/);
    expect(told).toContain('not valid UTF-8 was read with gaps: src/broken.js');
  });
});

describe('what a review must not do', () => {
  it.each(Object.entries(planted))('tells the planted %s nowhere', (_name, secret) => {
    expect(reviewed.run.journaled).not.toContain(secret);
    expect(reviewed.json).not.toContain(secret);
    expect(reviewed.markdown).not.toContain(secret);
  });

  it('reads nothing through a link out of the repository', () => {
    expect(reviewed.run.journaled).not.toContain('root:x:');
  });

  it('names no folder of this machine in its report', () => {
    expect(reviewed.json + reviewed.markdown).not.toContain(repository.root);
  });

  it('keeps every task output small', () => {
    for (const output of reviewed.run.tasks.values())
      expect(JSON.stringify(output).length).toBeLessThan(100_000);
  });

  it('writes the same bytes again', async () => {
    const again = await review();
    expect(again.json).toBe(reviewed.json);
    expect(again.markdown).toBe(reviewed.markdown);
  });
});

describe('when parts fail', () => {
  it('reports without the aspects that failed and names them', async () => {
    const { report, markdown } = await review({ failing: ['security_scan', 'tests'] });
    expect(report.aspects.map(({ aspect }) => aspect)).not.toContain('security');
    expect(report.unexamined.map(({ what }) => what)).toEqual(
      expect.arrayContaining(['The aspect "security"', 'The aspect "tests"']),
    );
    expect(report.scores.find(({ area }) => area === 'Tests')?.score).toBeNull();
    expect(markdown).toContain('The aspect "security"');
  });

  it('says how much is missing when a shard failed', async () => {
    const { report } = await review({ failing: ['measure[0]', 'security_scan[1]'] });
    const told = report.unexamined.map(({ why }) => why).join('\n');
    expect(told).toMatch(/1 shard of the files did not finish, so totals are too low/);
    expect(told).toMatch(/1 shard of the files was not searched/);
  });

  it('withdraws a finding whose line has changed meanwhile', async () => {
    const target = plantedRepository();
    try {
      const before = (task: string) => {
        if (task === 'synthesis')
          writeFileSync(join(target.root, 'deploy.sh'), 'echo nothing here\n');
      };
      const { report, markdown } = await review({ before }, target);
      expect(report.withdrawn.map(({ key }) => key)).toEqual(['secret-aws-access-key:deploy.sh:1']);
      expect(places('secret-aws-access-key', report)).toEqual([]);
      expect(markdown).toContain('Withdrawn after the cross-check');
    } finally {
      target.remove();
    }
  });

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await expect(review({ signal: controller.signal })).rejects.toThrow('enough');
  });
});
