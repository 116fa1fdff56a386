import { z } from 'zod';
import { busChoiceText, hasCredentials, isBusChoice } from '../../core/bus-choice.ts';

/** Which bus a run is on. A password in a document would stand in every journal of its runs. */
export const busChoice = z
  .string({ error: `expected ${busChoiceText}` })
  .refine(isBusChoice, { error: `expected ${busChoiceText}` })
  .refine((text) => !hasCredentials(text), {
    error:
      'expected an address without user, password or token: pass those with --bus or TROUPE_BUS',
  })
  .meta({ title: 'bus', examples: ['embedded', 'nats', 'nats://127.0.0.1:4222'] });
