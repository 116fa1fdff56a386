import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { keysOfBlock } from '../../src/workflow/schema/block.ts';
import { workflowSchemaText } from '../../src/workflow/schema/json-schema.ts';
import { isUnsupportedKey } from '../../src/workflow/unsupported.ts';

const blocks = [
  'document',
  'defaults',
  'agent',
  'agent_limits',
  'task',
  'need',
  'retry',
  'group',
  'barrier',
  'tier',
  'resources',
  'memory',
  'memory_key',
  'aggregate',
  'shards',
  'for_each',
];

describe('the published schema', () => {
  it('is what config/workflow.schema.json holds', () => {
    const published: unknown = JSON.parse(
      readFileSync(new URL('../../config/workflow.schema.json', import.meta.url), 'utf8'),
    );
    expect(published).toEqual(JSON.parse(workflowSchemaText()));
  });

  it('describes the keys of the document', () => {
    const schema = JSON.parse(workflowSchemaText()) as {
      properties: object;
      required: string[];
      additionalProperties: boolean;
    };
    expect(Object.keys(schema.properties)).toEqual(keysOfBlock('document'));
    expect(schema).toMatchObject({ required: ['tasks'], additionalProperties: false });
  });
});

describe('unsupported keys', () => {
  it.each(blocks)('do not stand among the known keys of %s', (block) => {
    expect(keysOfBlock(block).length).toBeGreaterThan(0);
    expect(keysOfBlock(block).filter((key) => isUnsupportedKey(block, key))).toEqual([]);
  });
});
