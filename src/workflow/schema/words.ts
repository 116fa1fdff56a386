/** Words that name an aggregation without parameters. */
export const aggregateWords = ['list', 'concat', 'union', 'intersection', 'majority'] as const;
