/** Every page, by the name of its picture; runs are those of the cases before. */
export function pages({ runs }) {
  return [
    ['home', '/'],
    ['new', '/new'],
    ['new-again', `/new?run=${runs.hostile}`],
    ['runs', '/runs'],
    ['runs-none', '/runs?test=none'],
    ['run', `/runs/${runs.steady}`],
    ['run-part', `/runs/${runs.steady}?from=3&to=6`],
    ['run-box', `/runs/${runs.steady}?box_from=2&box_to=9&above=0.01&below=2`],
    ['run-shares', `/runs/${runs.steady}?distribution=shares`],
    ['run-stopped', `/runs/${runs.stopped}`],
    ['run-hostile', `/runs/${runs.hostile}`],
    ['run-models', `/runs/${runs.models}`],
    ['compare', `/compare?runs=${runs.steady},${runs.again}`],
    ['test', '/tests/steady'],
    ['test-dates', '/tests/steady?environment=&scenario=&along=dates'],
    ['baselines', '/baselines'],
    ['capacity', '/capacity'],
    ['spend', '/spend'],
    ['schedules', '/schedules'],
    ['webhooks', '/webhooks'],
    ['settings', '/settings'],
    ['audit', '/audit'],
  ].filter(([, address]) => !address.includes('undefined')).map(([name, address]) => ({ name, address }));
}
