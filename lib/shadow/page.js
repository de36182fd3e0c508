/** The script of a shadow report, run by the browser that shows it: three charts per target, everything else is markup. */
(() => {
  const report = JSON.parse(document.getElementById('report-data').textContent);
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const charts = [];

  const options = (element, stepped) => {
    const paths = stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {};
    const axis = { stroke: color('dim'), grid: { stroke: color('line') }, ticks: { stroke: color('line') } };
    return {
      width: element.clientWidth,
      height: 200,
      cursor: { sync: { key: element.dataset.target }, drag: { x: true, y: false } },
      scales: { y: { range: (_chart, _min, max) => [0, Math.max(1, max) * 1.06] } },
      series: [
        {},
        { label: 'what was', stroke: color('other'), width: 1.5, dash: [6, 4], ...paths },
        { label: 'what would have been', stroke: color('ours'), width: 1.75, ...paths },
      ],
      axes: [
        axis,
        { ...axis, size: 58, values: (_chart, splits) => splits.map((value) => value.toLocaleString('en-US')) },
      ],
    };
  };

  const draw = () => {
    for (const chart of charts.splice(0)) chart.destroy();
    for (const element of document.querySelectorAll('.chart')) {
      const { times, columns } = report[Number(element.dataset.target)];
      const data = [times, ...columns[element.dataset.column]];
      charts.push(new uPlot(options(element, element.dataset.column === 'workers'), data, element));
    }
  };

  draw();
  addEventListener('resize', draw);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
})();
