import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  apiUrl,
  decimalNumber,
  fifoQueueUrl,
  flag,
  metricName,
  oneOf,
  queueName,
  queueUrl,
  queueUrlParts,
  serverNames,
  stepLimit,
  stepRules,
  wholeMinutes,
  wholeNumber,
} from '../../lib/config/values.ts';

describe('numbers', () => {
  it.each(['', 'ten', '1.5', '1e3', '0x10', '1,000', '11', '-1', 'NaN', 'Infinity', '1 0', '9'.repeat(400)])(
    '%j is no whole number from 0 to 10',
    (text) => {
      expect(wholeNumber(0, 10).parse(text)).toBeNull();
    },
  );

  it('are read back as they were written, within their bounds', () => {
    fc.assert(
      fc.property(fc.integer({ min: -50, max: 50 }), (value) => {
        expect(wholeNumber(-20, 20).parse(String(value))).toBe(Math.abs(value) <= 20 ? value : null);
      }),
    );
  });

  it.each([
    ['0.1', 0.1],
    ['.5', 0.5],
    ['1', 1],
    ['1.01', null],
    ['-0.1', null],
    ['1e-3', null],
    ['10%', null],
    ['0.', null],
  ])('with decimals: %s is %s', (text, value) => {
    expect(decimalNumber(0, 1).parse(text)).toBe(value);
  });

  it.each([
    ['60', 60],
    ['3600', 3600],
    ['90', null],
    ['0', null],
    ['3660', null],
  ])('in minutes: %s is %s', (text, value) => {
    expect(wholeMinutes(3600).parse(text)).toBe(value);
  });
});

describe('words', () => {
  it.each([
    ['true', true],
    ['1', true],
    ['ON', true],
    ['no', false],
    ['0', false],
    ['maybe', null],
  ])('%s is %s', (text, value) => {
    expect(flag.parse(text)).toBe(value);
  });

  it('are found in any casing and listed when they are not', () => {
    const color = oneOf('red', 'green');
    expect([color.parse('Red'), color.parse('blue'), color.expected]).toEqual(['red', null, 'one of red, green']);
  });

  it('of server lists are trimmed, unique and not empty', () => {
    expect(serverNames.parse(' lion , tiger')).toEqual(['lion', 'tiger']);
    for (const text of ['lion,', ',', 'a b', 'a,a', 'a\u0000', Array.from({ length: 201 }, (_, i) => `s${i}`).join()]) {
      expect(serverNames.parse(text)).toBeNull();
    }
  });
});

describe('steps', () => {
  it('are workers or percent', () => {
    expect(stepLimit.parse('5')).toEqual({ kind: 'workers', workers: 5 });
    expect(stepLimit.parse('50 %')).toEqual({ kind: 'percent', percent: 50 });
    for (const text of ['0', '0%', '1001', '1001%', '-1', '%', '5 workers']) expect(stepLimit.parse(text)).toBeNull();
  });

  it.each([
    ['', 'empty'],
    ['100', 'no change'],
    ['100:', 'no change'],
    [':1', 'no backlog'],
    ['-1:+1', 'negative backlog'],
    ['100:+1,100:+2', 'same backlog twice'],
    ['500:+5,100:+1', 'descending'],
    ['0:-1', 'never out'],
    ['0:+1,', 'comma at the end'],
    ['0:1.5', 'fraction'],
    ['0:+1001', 'too large a change'],
    [Array.from({ length: 21 }, (_, index) => `${index}:1`).join(), 'too many'],
  ])('%s are refused: %s', (text) => {
    expect(stepRules.parse(text)).toBeNull();
  });

  it('may leave the count alone, as a plain zero', () => {
    expect(stepRules.parse('0:-0,10:+1')).toStrictEqual([
      { atLeast: 0, change: 0 },
      { atLeast: 10, change: 1 },
    ]);
  });
});

describe('a CloudWatch metric', () => {
  it('divides at the last slash, because a namespace may contain some', () => {
    expect(metricName.parse('My/App/Jobs/Depth?Queue=low%26high&Env=a=b&stat=p95')).toEqual({
      namespace: 'My/App/Jobs',
      name: 'Depth',
      dimensions: { Queue: 'low&high', Env: 'a=b' },
      stat: 'p95',
    });
  });

  it('needs no dimensions and takes the maximum when no statistic is named', () => {
    expect(metricName.parse('Sidekiq/QueueSize')).toEqual({
      namespace: 'Sidekiq',
      name: 'QueueSize',
      dimensions: {},
      stat: 'Maximum',
    });
    expect(metricName.parse('Side%2Fkiq/Queue%2FSize?')).toMatchObject({ namespace: 'Side/kiq', name: 'Queue/Size' });
  });

  it.each([
    'Depth',
    '/Depth',
    'App/',
    'A/B?c',
    'A/B?=c',
    'A/B?c=',
    'A/B?c=1&c=2',
    'A/B?c=1?d=2',
    'A/B?stat=Median',
    'A/B?stat=p0',
    'A/B?c=%E0%A4%A',
    `A/B?${Array.from({ length: 31 }, (_, i) => `d${i}=1`).join('&')}`,
    `A/${'b'.repeat(256)}`,
  ])('%s is refused', (text) => {
    expect(metricName.parse(text)).toBeNull();
  });

  it('is read back from any names that were percent-encoded', () => {
    const name = fc.string({ minLength: 1, maxLength: 40 }).filter((text) => !/\p{Cc}/u.test(text) && text !== 'stat');
    fc.assert(
      fc.property(name, name, name, name, (namespace, metric, dimension, value) => {
        const [a, b, c, d] = [namespace, metric, dimension, value].map(encodeURIComponent);
        expect(metricName.parse(`${a}/${b}?${c}=${d}`)).toEqual({
          namespace,
          name: metric,
          dimensions: { [dimension]: value },
          stat: 'Maximum',
        });
      }),
    );
  });
});

describe('addresses', () => {
  it.each([
    ['https://app.cloud66.com/api/3/', 'https://app.cloud66.com/api/3'],
    ['http://127.0.0.1:1234', 'http://127.0.0.1:1234'],
    ['http://[::1]:1/api', 'http://[::1]:1/api'],
    ['http://localhost/api', 'http://localhost/api'],
    ['http://app.cloud66.com/api/3', null],
    ['https://user:secret@app.cloud66.com', null],
    ['https://app.cloud66.com?x=1', null],
    ['https://app.cloud66.com#x', null],
    ['ftp://app.cloud66.com', null],
    ['app.cloud66.com', null],
  ])('of an API: %s is %s', (text, value) => {
    expect(apiUrl.parse(text)).toBe(value);
  });

  it.each([
    ['https://sqs.eu-west-1.amazonaws.com/123456789012/jobs', 'eu-west-1'],
    ['https://eu-central-1.queue.amazonaws.com/123456789012/jobs.fifo', 'eu-central-1'],
    ['https://sqs-fips.us-gov-west-1.amazonaws.com/123456789012/jobs', 'us-gov-west-1'],
    ['https://sqs.eusc-de-east-1.amazonaws.eu/123456789012/jobs', 'eusc-de-east-1'],
    ['https://sqs.eu-west-1.api.aws/123456789012/jobs', 'eu-west-1'],
    ['https://vpce-0ab.sqs.ap-southeast-2.vpce.amazonaws.com/123456789012/jobs', 'ap-southeast-2'],
    ['https://sqs.cn-north-1.amazonaws.com.cn/123456789012/jobs', 'cn-north-1'],
    ['http://127.0.0.1:4566/000000000000/jobs', null],
  ])('of a queue: %s is taken', (text, region) => {
    expect(queueUrl.parse(text)).toBe(text);
    if (region !== null) expect(queueUrlParts(text)?.region).toBe(region);
  });

  it.each([
    'jobs',
    'http://sqs.eu-west-1.amazonaws.com/123456789012/jobs',
    'https://sqs.eu-west1.amazonaws.com/123456789012/jobs',
    'https://sqs.eu-west-1.amazonaws.example/123456789012/jobs',
    'https://eu-west-1.amazonaws.com/123456789012/jobs',
    'https://sqs.eu-west-1.amazonaws.com/jobs',
    'https://sqs.eu-west-1.amazonaws.com/12345/jobs',
    'https://sqs.eu-west-1.amazonaws.com/123456789012/jobs/more',
    'https://sqs.eu-west-1.amazonaws.com/123456789012/jobs.txt',
    'arn:aws:sqs:eu-west-1:123456789012:jobs',
  ])('of a queue: %s is refused', (text) => {
    expect(queueUrl.parse(text)).toBeNull();
  });

  it('of a FIFO queue end in .fifo', () => {
    expect(fifoQueueUrl.parse('https://sqs.eu-west-1.amazonaws.com/123456789012/a.fifo')).not.toBeNull();
    expect(fifoQueueUrl.parse('https://sqs.eu-west-1.amazonaws.com/123456789012/a')).toBeNull();
    expect(fifoQueueUrl.parse('a.fifo')).toBeNull();
  });

  it('by name keep to the length that SQS allows', () => {
    expect(queueName.parse('a'.repeat(80))).not.toBeNull();
    expect(queueName.parse('a'.repeat(81))).toBeNull();
    expect(queueName.parse(`${'a'.repeat(75)}.fifo`)).not.toBeNull();
    expect(queueName.parse(`${'a'.repeat(76)}.fifo`)).toBeNull();
  });

  it('in the region are read from government hosts, too', () => {
    expect(queueUrlParts('https://sqs.us-gov-west-1.amazonaws.com/123456789012/jobs')).toEqual({
      region: 'us-gov-west-1',
      accountId: '123456789012',
      queueName: 'jobs',
    });
    expect(queueUrlParts('http://127.0.0.1:4566/000000000000/jobs')?.region).toBeNull();
  });
});
