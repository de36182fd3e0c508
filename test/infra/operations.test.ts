/** What people look at and who tells them: dashboard, saved queries, topic, health alarms. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TemplatePart } from '../../infra/cloudformation.ts';
import { dashboard, QUERIES } from '../../infra/dashboard.ts';
import { template } from '../../infra/template.ts';
import { parseDeployment } from '../../lib/config/deployment.ts';
import { targetOf } from '../support/ports.ts';
import { SETTINGS } from './project.ts';

const PLACE = { service: 'cloud66-worker-autoscaler', stage: 'qa', region: 'eu-west-1' };
const partsOf = (changes: Readonly<Record<string, string>> = {}) => template({ ...SETTINGS, ...changes }, PLACE);
const metricsSource = readFileSync(join(import.meta.dirname, '..', '..', 'lib', 'telemetry', 'metrics.ts'), 'utf8');

interface Widget {
  readonly properties: { readonly title: string; readonly metrics: readonly (readonly string[])[] };
}
const widgetsOf = (parts: ReturnType<typeof template>) => widgetsIn(parts.dashboard);
function widgetsIn({ Resources }: TemplatePart): readonly Widget[] {
  const body = Resources.Dashboard?.Properties.DashboardBody as { 'Fn::Sub': string };
  return (JSON.parse(body['Fn::Sub'].replaceAll(`\${AWS::Region}`, 'eu-west-1')) as { widgets: Widget[] }).widgets;
}

describe('the dashboard', () => {
  it('draws only metrics that the program writes, or AWS does', () => {
    const own = widgetsOf(partsOf()).flatMap(({ properties }) => properties.metrics);
    expect(own.length).toBeGreaterThan(15);
    for (const [namespace, name] of own) {
      if (namespace === 'Cloud66Autoscaler') expect(metricsSource, name).toContain(`'${name}'`);
      else expect(['AWS/Lambda', 'AWS/SQS'], namespace).toContain(namespace);
    }
  });

  it('draws the backlog of the first forty targets and says how many it leaves out', () => {
    const targets = Array.from({ length: 45 }, (_, at) => targetOf(`t${at}`));
    const plan = { name: 'fleet', alarmNamePrefix: 'fleet-', deployment: { ...parseDeployment(SETTINGS), targets } };
    const widgets = widgetsIn(dashboard(plan));
    const backlogs = widgets.filter(({ properties }) => properties.title.startsWith('Backlog'));
    expect(backlogs.map(({ properties }) => properties.metrics.length)).toEqual([10, 10, 10, 10]);
    expect(backlogs.at(-1)?.properties.title).toContain('5 more targets');
  });
});

describe('the saved queries', () => {
  it('ask for fields that the log records have', () => {
    const sources = ['reporter', 'logger'].map((name) =>
      readFileSync(join(import.meta.dirname, '..', '..', 'lib', 'telemetry', `${name}.ts`), 'utf8'),
    );
    const domain = readFileSync(join(import.meta.dirname, '..', '..', 'lib', 'domain.ts'), 'utf8');
    const known = [...sources, domain].join('\n');
    for (const { query } of QUERIES) {
      const fields = query.match(/\b[a-z]+(\.[a-zA-Z]+)+\b/g) ?? [];
      for (const part of fields.flatMap((field) => field.split('.')))
        expect(known, part).toMatch(new RegExp(`\\b${part}\\b`));
      expect(query).toMatch(/^(fields|filter) /);
    }
    expect(Object.keys(partsOf().dashboard.Resources)).toHaveLength(1 + QUERIES.length);
  });
});

describe('who is told', () => {
  const statementsOf = (parts: ReturnType<typeof template>) => JSON.stringify(parts.roles);

  it('nobody, when nobody asked: the alarms are there all the same, and no right to publish', () => {
    const parts = partsOf();
    const alarms = Object.values(parts.notifications.Resources);
    expect(alarms).toHaveLength(4);
    for (const { Properties } of alarms) expect(Properties).not.toHaveProperty('AlarmActions');
    expect(statementsOf(parts)).not.toContain('sns:Publish');
    expect(parts.environments.scale).not.toHaveProperty('NOTIFY_TOPIC_ARN');
  });

  it('a mail address, by a topic that the alarms and the functions of this account may publish to', () => {
    const parts = partsOf({ NOTIFY_EMAIL: 'ops@example.com' });
    const { Resources } = parts.notifications;
    expect(Resources.NotificationsByMail?.Properties).toMatchObject({ Protocol: 'email', Endpoint: 'ops@example.com' });
    expect(Resources.NoTickAlarm?.Properties).toMatchObject({
      AlarmActions: [{ Ref: 'NotificationsTopic' }],
      OKActions: [{ Ref: 'NotificationsTopic' }],
      TreatMissingData: 'breaching',
    });
    expect(JSON.stringify(Resources.NotificationsPolicy)).toContain('aws:SourceAccount');
    expect(statementsOf(parts)).toContain('"Action":["sns:Publish"],"Resource":{"Ref":"NotificationsTopic"}');
    expect(parts.environments.poller).toMatchObject({ NOTIFY_TOPIC_ARN: { Ref: 'NotificationsTopic' } });
    expect(JSON.stringify(parts.environments)).not.toContain('ops@example.com');
  });

  it('a topic that is there already, and nothing else is made', () => {
    const NOTIFY_TOPIC_ARN = 'arn:aws:sns:eu-west-1:123456789012:alerts';
    const parts = partsOf({ NOTIFY_TOPIC_ARN });
    expect(Object.keys(parts.notifications.Resources).filter((id) => !id.endsWith('Alarm'))).toEqual([]);
    expect(statementsOf(parts)).toContain(`"Action":["sns:Publish"],"Resource":"${NOTIFY_TOPIC_ARN}"`);
  });

  it('not both, and not a FIFO topic', () => {
    const NOTIFY_TOPIC_ARN = 'arn:aws:sns:eu-west-1:123456789012:alerts.fifo';
    expect(() => partsOf({ NOTIFY_TOPIC_ARN })).toThrow(/NOTIFY_TOPIC_ARN.*standard SNS topic/);
    const both = { NOTIFY_TOPIC_ARN: NOTIFY_TOPIC_ARN.replace('.fifo', ''), NOTIFY_EMAIL: 'a@b.c' };
    expect(() => partsOf(both)).toThrow(/NOTIFY_EMAIL.*leave one of the two out/);
  });
});
