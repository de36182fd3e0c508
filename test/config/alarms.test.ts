import { describe, expect, it } from 'vitest';
import { alarmDefinition, alarmName } from '../../lib/config/alarms.ts';
import { parseSettings } from '../../lib/config/settings.ts';
import { MINIMAL } from './fixture.ts';

function definitionFor(change: Record<string, string>) {
  const [target] = parseSettings({ ...MINIMAL, ...change }).targets;
  if (target === undefined) throw new Error('no target');
  return alarmDefinition(target, 'p-');
}

describe('the alarm of a target', () => {
  it('watches the highest visible depth of the queue at its address', () => {
    expect(definitionFor({ STRATEGY: 'backlog' })).toEqual({
      name: 'p-worker',
      description: expect.stringContaining('worker'),
      namespace: 'AWS/SQS',
      metricName: 'ApproximateNumberOfMessagesVisible',
      dimensions: { QueueName: 'jobs' },
      statistic: 'Maximum',
      periodSeconds: 60,
      evaluationPeriods: 1,
      threshold: 12,
      comparison: 'GreaterThanOrEqualToThreshold',
      missingData: 'notBreaching',
    });
  });

  it('watches a queue by its name', () => {
    expect(definitionFor({ QUEUE_URL: '', QUEUE_NAME: 'mail.fifo' }).dimensions).toEqual({ QueueName: 'mail.fifo' });
  });

  it('watches a metric with the statistic that was asked for', () => {
    expect(definitionFor({ QUEUE_URL: '', METRIC: 'A/B?C=D&stat=p90', ALARM_THRESHOLD: '5' })).toMatchObject({
      namespace: 'A',
      metricName: 'B',
      dimensions: { C: 'D' },
      statistic: 'p90',
      threshold: 5,
    });
  });

  it('carries the target in its name', () => {
    expect(alarmName('p-', 'mail-out')).toBe('p-mail-out');
  });
});
