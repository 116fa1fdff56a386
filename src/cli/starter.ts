/** A first workflow: three researchers at once, a barrier that forgives one of them, a writer. */
export const starterWorkflow = `# A Troupe workflow. Check it with \`troupe validate\`, look at its plan with \`troupe plan\`,
# and run it with \`troupe run\`.
version: 1
name: starter
description: Three researchers look at a topic at the same time; a writer puts the findings together.

# What \`troupe run --input name=value\` may set.
inputs:
  topic:
    description: What the report is about.
    default: tide mills

# Who does the work. These are JavaScript functions; \`uses: command\` runs any program, and
# \`uses: simulate\` only takes its time, to try out a plan.
agents:
  researcher:
    uses: function
    module: ./agents.mjs
    export: research
    limits: { concurrency: 3 } # at most so many at one time
  writer:
    uses: function
    module: ./agents.mjs
    export: write

# What is to be done. A task starts as soon as what it needs is there.
tasks:
  history:
    agent: researcher
    with: { topic: "\${input.topic}", angle: history }
    estimate: 1s # plans and forecasts use it
    timeout: 30s # per attempt
    retry: { max_attempts: 3, backoff: exponential }
  economy:
    agent: researcher
    with: { topic: "\${input.topic}", angle: economy }
    estimate: 2s
    timeout: 30s
  future:
    agent: researcher
    with: { topic: "\${input.topic}", angle: future }
    estimate: 1s
    timeout: 30s
  report:
    agent: writer
    needs: [research] # the whole group
    with: { topic: "\${input.topic}", findings: "\${groups.research.output}" }
    estimate: 500ms

# What is waited for together, and when waiting is over.
groups:
  research:
    tasks: [history, economy, future]
    barrier:
      type: smart # decides as soon as the decision cannot change
      timeout: 1m
      on_timeout: [proceed_with_available]
      min_success: 2 # go on with two of three
      on_failure: retry_failed_worker

# What the run gives back.
outputs:
  report: "\${tasks.report.output}"
`;

/** The functions of {@link starterWorkflow}. */
export const starterModule = `import { setTimeout as delay } from 'node:timers/promises';

// An agent is a function of one argument. What it returns is the task's output; what it throws is a
// failed attempt. \`context.signal\` aborts when the task is cancelled or runs out of time.

export async function research(context) {
  const { topic, angle } = context.input;
  context.progress(\`reading about the \${angle} of \${topic}\`);
  await delay(500 + 500 * context.random(), undefined, { signal: context.signal });
  return { angle, finding: \`What is known about the \${angle} of \${topic}.\` };
}

export async function write(context) {
  const { topic, findings } = context.input;
  context.progress('writing');
  // A step is done once: if this run is interrupted after it, a resumed run does not do it again.
  const title = await context.step('title', () => \`A short report on \${topic}\`);
  await delay(200, undefined, { signal: context.signal });
  return { title, findings };
}
`;
