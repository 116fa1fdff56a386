import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../src/core/simulated-clock.ts';
import { LiveView } from '../../src/cli/progress/live.ts';
import { Screen } from '../../src/cli/screen.ts';
import { playBack } from './support/terminal.ts';

/** A terminal that both streams write to, with a live block of two lines on it. */
function terminalWithBlock(): {
  screen: Screen;
  view: LiveView;
  clock: SimulatedClock;
  shown: () => string[];
  written: () => string;
} {
  let written = '';
  const write = (text: string): void => void (written += text);
  const screen = new Screen({ out: write, err: write, outIsTerminal: true });
  const clock = new SimulatedClock();
  const view = new LiveView({
    clock,
    write: (text) => screen.err(text),
    lines: () => ['[====  ]', 'a  1.0s'],
    stand: (block) => screen.stand(block),
  });
  return { screen, view, clock, shown: () => playBack(written), written: () => written };
}

const block = ['[====  ]', 'a  1.0s'];

describe('a screen with a live block', () => {
  it('keeps every printed line above the block, and one copy of the block', () => {
    const { clock, screen, shown, view } = terminalWithBlock();
    for (let line = 0; line < 5; line++) {
      screen.stray(`line ${line}\n`);
      clock.step();
    }
    view.stop();
    screen.stray('after\n');
    expect(shown()).toEqual(['line 0', 'line 1', 'line 2', 'line 3', 'line 4', ...block, 'after']);
  });

  it('loses no line however prints, drawings and results are mixed', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('print' as const), lines: fc.integer({ min: 1, max: 3 }) }),
      fc.constant({ kind: 'draw' as const }),
      fc.constant({ kind: 'result' as const }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { clock, screen, shown, view } = terminalWithBlock();
        const expected: string[] = [];
        const named = (): string => `text ${expected.push(`text ${expected.length}`) - 1}\n`;
        for (const each of steps) {
          if (each.kind === 'draw') clock.step();
          else if (each.kind === 'result') screen.out(named());
          else screen.stray(Array.from({ length: each.lines }, named).join(''));
        }
        view.stop();
        expect(shown()).toEqual([...expected, ...block]);
      }),
    );
  });

  it('waits for the end of a line, and gives out what has none when the block goes', () => {
    const { screen, shown, view } = terminalWithBlock();
    screen.stray('one');
    screen.stray(' line\nand a');
    expect(shown()).toEqual(['one line', ...block]);
    view.stop();
    expect(shown()).toEqual(['one line', 'and a', ...block]);
  });

  it('keeps the colours of a printed line and nothing that moves the cursor', () => {
    const { screen, written, view } = terminalWithBlock();
    screen.stray('\u001b[31mred\u001b[2J\u001b[5A\u001b]0;title\u0007 x\u0007\n');
    screen.stray('10%\r20%\r30%\r\n');
    view.stop();
    expect(written()).toContain('\u001b[31mred x\u001b[0m\n');
    expect(written()).toContain('\u001b[J30%\n');
  });

  it('passes everything on as it is when no block stands', () => {
    const { screen, view, written } = terminalWithBlock();
    view.stop();
    const before = written().length;
    screen.stray('half');
    screen.stray('\u001b[2J\n');
    expect(written().slice(before)).toBe('half\u001b[2J\n');
  });
});
