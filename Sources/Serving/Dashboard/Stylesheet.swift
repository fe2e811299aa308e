/// How pages look: by day and by night, on a desk and on a phone.
enum Stylesheet {
  /// As many event types have colours of their own.
  static let colourCount = 8

  static let text: HTML = """
    :root { --ground: #fbfbf9; --panel: #fff; --ink: #1c1e21; --faint: #61666d; --line: #dfe1e4; --link: #0b57c2; --good: #14713d;
      --bad: #b3261e; --c0: #0b6bcb; --c1: #b4530a; --c2: #17803d; --c3: #9333a8; --c4: #a8172c; --c5: #0e7490; --c6: #6b6f00; --c7: #5b4bd6 }
    @media (prefers-color-scheme: dark) { :root { --ground: #131518; --panel: #1c1f24; --ink: #e6e8eb; --faint: #9aa1aa; --line: #343941;
      --link: #7db4ff; --good: #62c98b; --bad: #ff8a80; --c0: #6cb0ff; --c1: #f2a25c; --c2: #66cf8a; --c3: #d690e8; --c4: #ff8f9c;
      --c5: #5ecbe0; --c6: #cdd14a; --c7: #aaa0ff } }
    * { box-sizing: border-box }
    body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
    a { color: var(--link) }
    .skip { position: absolute; left: -99em } .skip:focus { left: 1em; top: .5em; background: var(--panel); padding: .3em .6em }
    header { display: flex; flex-wrap: wrap; gap: .3em 1.4em; align-items: baseline; padding: .8em 1.2em; background: var(--panel);
      border-bottom: 1px solid var(--line) }
    nav { display: flex; gap: 1em } nav a { text-decoration: none; padding: .1em 0 }
    nav a[aria-current] { color: var(--ink); border-bottom: 2px solid var(--link) }
    .note { margin-left: auto; color: var(--faint); font-size: 13px }
    main { max-width: 74em; margin: 0 auto; padding: 1em 1.2em 4em }
    h1 { font-size: 1.5em; margin: .4em 0 .6em } h2 { font-size: 1.1em; margin: 2em 0 .5em } h2 small { font-weight: 400; color: var(--faint) }
    .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11em, 1fr)); gap: .8em }
    .tile { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: .7em .9em }
    .tile b { display: block; font-size: 1.5em; font-weight: 600; font-variant-numeric: tabular-nums } .tile span { color: var(--faint); font-size: 13px }
    .scroll { overflow-x: auto; background: var(--panel); border: 1px solid var(--line); border-radius: 8px }
    table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
    caption { text-align: left; padding: .6em .8em 0; color: var(--faint); font-size: 13px }
    th, td { text-align: left; padding: .35em .8em; border-bottom: 1px solid var(--line); white-space: nowrap; font-weight: 400 }
    thead th { color: var(--faint); font-size: 13px } tbody tr:last-child > * { border-bottom: 0 } .number { text-align: right }
    .good { color: var(--good) } .bad { color: var(--bad); font-weight: 600 } .faint { color: var(--faint) }
    svg { display: block; max-width: 100% } .spark { width: 9em; height: 1.7em } .spark path { fill: none; stroke: var(--link); stroke-width: 1.5 }
    form { display: flex; flex-wrap: wrap; gap: .8em; align-items: end; background: var(--panel); border: 1px solid var(--line);
      border-radius: 8px; padding: .9em }
    label { display: grid; gap: .15em; font-size: 13px; color: var(--faint) } fieldset { border: 0; padding: 0; margin: 0; flex-basis: 100% }
    fieldset label { display: inline-flex; gap: .35em; align-items: center; margin-right: 1em; color: var(--ink) }
    input, select, button { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: 6px;
      padding: .35em .6em }
    button { background: var(--link); color: var(--ground); border-color: transparent; cursor: pointer }
    :focus-visible { outline: 2px solid var(--link); outline-offset: 2px }
    .legend { display: flex; flex-wrap: wrap; gap: .3em 1.2em; padding: 0; margin: .8em 0; list-style: none }
    .dot { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .4em; background: var(--mark) }
    .timeline { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: .4em }
    .timeline circle { fill: var(--mark); fill-opacity: .8 } .timeline rect { fill: var(--line); opacity: .55 }
    .timeline line { stroke: var(--line) } .timeline text { fill: var(--faint); font-size: 11px }
    .gap td, .gap th { color: var(--faint); font-size: 13px; padding: .1em .8em; background: var(--ground) }
    @media (max-width: 40em) { main { padding: .6em .7em 3em } th, td { padding: .3em .5em } .note { margin-left: 0 } }
    """
}
