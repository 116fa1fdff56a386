import { describe, expect, it } from 'vitest';

import { faultClasses, scriptedAgent, simulate } from '../../src/testing.ts';
import { ignoreLateAcknowledgements } from '../adversarial/quiet.ts';
import { Page } from './page.ts';

ignoreLateAcknowledgements();

const page = new Page('docs/testing.md');

type Program = (kit: object) => Promise<void>;

/** A program of the page, with what it imports as arguments. */
function programOf(text: string): Program {
  const body = text.replaceAll(/^import .*$/gm, '');
  // eslint-disable-next-line no-new-func
  return new Function(
    'kit',
    `return (async () => { const { scriptedAgent, simulate } = kit; ${body} })();`,
  ) as Program;
}

describe('docs/testing.md', () => {
  it('has an example that runs as it stands', async () => {
    const [example] = page.fences.filter(({ language }) => language === 'ts');
    await programOf(example?.text ?? 'throw new Error("none")')({ scriptedAgent, simulate });
  });

  it('names every class of faults, and no other', () => {
    const section = page.text.slice(page.text.indexOf('## What goes wrong'));
    const table = section.slice(0, section.indexOf('## What must hold'));
    const named = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
    expect(named).toEqual([...faultClasses]);
  });
});
