import type { Lane } from '../../planning/lanes.ts';
import type { Plan, PlannedTask } from '../../planning/plan.ts';
import { readableMs } from '../../planning/readable.ts';
import { counted } from './shapes.ts';
import { roundTicks } from './ticks.ts';
import { fit, oneLine } from './width.ts';

/** Sizes in user units, which are pixels where nobody scales the picture. */
const size = { width: 960, names: 200, right: 48, top: 64, row: 24, bar: 16, lane: 56, gap: 12 };

/** Characters of a name that fit beside the bars. */
const nameColumns = 26;

/** Tasks and resources that are drawn; the rest is counted. */
const most = { tasks: 500, lanes: 8, ticks: 6 } as const;

/**
 * A plan as an SVG picture that needs nothing else: a bar for each task in order of start, the critical path
 * marked, and below it how much of each lock and each resource that tasks compete for is in use. Light and dark by
 * the viewer's choice, light where a viewer knows no choice. All names are escaped.
 */
export function planSvg(plan: Plan, lanes: readonly Lane[]): string {
  const tasks = [...plan.tasks]
    .sort((a, b) => a.start_ms - b.start_ms || b.finish_ms - a.finish_ms)
    .slice(0, most.tasks);
  const shown = lanes.slice(0, most.lanes);
  const x = scaleOf(plan.makespan_ms);
  const barsEnd = size.top + tasks.length * size.row;
  const height = barsEnd + shown.length * (size.lane + size.gap) + 64;
  const parts = [
    `<title>${escaped(`Plan of ${plan.workflow}`)}</title>`,
    `<desc>${escaped(descriptionOf(plan))}</desc>`,
    `<style>${style}</style>`,
    rect('back', { x: 0, y: 0, width: size.width, height }),
    text('head', [16, 26], `Plan of ${plan.workflow}`),
    text('sub', [16, 46], descriptionOf(plan)),
    ...ticks(plan.makespan_ms, x, { from: size.top - 4, to: height - 52 }),
    ...tasks.map((task, at) => bar(task, size.top + at * size.row, x)),
    ...shown.map((lane, at) => laneOf(lane, barsEnd + size.gap + at * (size.lane + size.gap), x)),
    text('sub', [16, height - 12], footOf(plan, tasks.length, lanes.length - shown.length)),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${height}" width="${size.width}" height="${height}" role="img" font-family="system-ui,sans-serif" font-size="12">\n${parts.join('\n')}\n</svg>\n`;
}

/** Text for an element or an attribute; what XML does not allow at all is left out. */
export function escaped(value: string): string {
  return oneLine(value.replaceAll(/[\ufffe\uffff]|\p{Surrogate}/gu, ''))
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** How a part looks: as attributes, since there are viewers that know neither variables nor media queries in styles. */
const looks = {
  back: { fill: '#ffffff', dark: '#0d1117' },
  head: { fill: '#1b1f24', dark: '#e6edf3' },
  name: { fill: '#1b1f24', dark: '#e6edf3' },
  sub: { fill: '#59636e', dark: '#9198a1' },
  tick: { fill: '#59636e', dark: '#9198a1' },
  bar: { fill: '#7aa7d9', dark: '#3f77b5' },
  'bar critical': { fill: '#d1542f', dark: '#e5734f' },
  use: { fill: '#8bbf9f', dark: '#3d7a55' },
  room: { stroke: '#d1d9e0', dark: '#30363d' },
  line: { stroke: '#d1d9e0', dark: '#30363d' },
} as const;

type Look = keyof typeof looks;

/** The class and the light colour of a part. */
function look(name: Look): string {
  const own: { readonly fill?: string; readonly stroke?: string } = looks[name];
  const stroke = own.stroke === undefined ? '' : ` stroke="${own.stroke}"`;
  return `class="${name}" fill="${own.fill ?? 'none'}"${stroke}`;
}

/** Only what viewers may do without: other colours where it is dark. */
const style = `@media(prefers-color-scheme:dark){${Object.entries(looks)
  .map(
    ([name, own]) =>
      `.${name.replace(' ', '.')}{${'stroke' in own ? 'stroke' : 'fill'}:${own.dark}}`,
  )
  .join('')}}`;

type Scale = (ms: number) => number;

function scaleOf(makespanMs: number): Scale {
  const columns = size.width - size.names - size.right;
  return (ms) => rounded(size.names + (ms / Math.max(makespanMs, 1)) * columns);
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

function descriptionOf(plan: Plan): string {
  const bottleneck = plan.bottleneck === 'critical_path' ? 'the critical path' : plan.bottleneck;
  const gap =
    plan.gap_percent === 0 ? 'no plan is shorter' : `within ${plan.gap_percent} % of the best`;
  return `${counted(plan.tasks.length, 'task')} in ${readableMs(plan.makespan_ms)}, ${gap}; bottleneck: ${bottleneck}`;
}

function footOf(plan: Plan, drawn: number, lanesLeft: number): string {
  const rest = plan.tasks.length - drawn;
  const more =
    rest > 0 ? `; ${counted(rest, 'more task')} ${rest === 1 ? 'is' : 'are'} not drawn` : '';
  const lanes = lanesLeft > 0 ? `; ${counted(lanesLeft, 'more resource')} not drawn` : '';
  return `Critical path: ${fit(plan.critical_path.join(' → '), 120)}${more}${lanes}`;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function rect(name: Look, { x, y, width, height }: Box): string {
  return `<rect ${look(name)} x="${rounded(x)}" y="${rounded(y)}" width="${rounded(width)}" height="${rounded(height)}"/>`;
}

function text(name: Look, [x, y]: readonly [number, number], content: string): string {
  const size = name === 'head' ? ' font-size="16" font-weight="600"' : '';
  const anchor = name === 'tick' ? ' text-anchor="middle"' : '';
  return `<text ${look(name)}${size}${anchor} x="${rounded(x)}" y="${rounded(y)}">${escaped(content)}</text>`;
}

function bar(
  { id, start_ms, finish_ms, slack_ms, critical }: PlannedTask,
  y: number,
  x: Scale,
): string {
  const times = `${id}: ${readableMs(start_ms)} to ${readableMs(finish_ms)}, slack ${readableMs(slack_ms)}${critical ? ', critical' : ''}`;
  const box = {
    x: x(start_ms),
    y: y + (size.row - size.bar) / 2,
    width: Math.max(1, x(finish_ms) - x(start_ms)),
    height: size.bar,
  };
  const name = text('name', [16, y + size.row / 2 + 4], fit(oneLine(id), nameColumns));
  return `<g><title>${escaped(times)}</title>${name}${rect(critical ? 'bar critical' : 'bar', box)}</g>`;
}

function laneOf({ resource, capacity, steps }: Lane, y: number, x: Scale): string {
  const boxes = steps.map(({ from_ms, to_ms, units }) => {
    const height = (Math.min(units, capacity) / capacity) * size.lane;
    const box = { x: x(from_ms), y: y + size.lane - height, width: x(to_ms) - x(from_ms), height };
    return rect('use', box);
  });
  // How many units stand for a whole lock is nothing for people.
  const lock = resource.startsWith('lock:');
  const room = { x: x(0), y, width: size.width - size.right - x(0), height: size.lane };
  const name = text(
    'name',
    [16, y + size.lane / 2 + 4],
    fit(lock ? oneLine(resource) : `${oneLine(resource)} (${capacity})`, nameColumns),
  );
  const title = lock ? resource : `${resource}: ${counted(capacity, 'unit')}`;
  return `<g><title>${escaped(title)}</title>${name}${boxes.join('')}${rect('room', room)}</g>`;
}

function ticks(
  makespanMs: number,
  x: Scale,
  span: { readonly from: number; readonly to: number },
): string[] {
  return roundTicks(makespanMs, most.ticks).map((ms) => {
    const line = `<line ${look('line')} x1="${x(ms)}" y1="${span.from}" x2="${x(ms)}" y2="${span.to}"/>`;
    return `${line}${text('tick', [x(ms), span.to + 14], ms === 0 ? '0s' : readableMs(ms))}`;
  });
}
