/// How pages look: by day and by night, on a desk and on a phone.
enum Stylesheet {
  /// As many event types have colours of their own.
  static let colourCount = 8

  static let text: HTML = "\(colours)\(page)\(overview)\(tables)\(explorer)\(narrow)"

  private static let colours: HTML = """
    :root { --ground: #f6f7f9; --panel: #fff; --ink: #1a1d21; --faint: #5b6169; --line: #dfe3e8; --link: #0b57c2; --good: #14713d;
      --good-ground: #e8f5ec; --bad: #b3261e; --bad-ground: #fdeceb; --c0: #0b6bcb; --c1: #b4530a; --c2: #17803d; --c3: #9333a8;
      --c4: #a8172c; --c5: #0e7490; --c6: #6b6f00; --c7: #5b4bd6 }
    @media (prefers-color-scheme: dark) { :root { --ground: #101216; --panel: #181b20; --ink: #e6e8eb; --faint: #9aa1aa;
      --line: #2d323a; --link: #7db4ff; --good: #62c98b; --good-ground: #14251b; --bad: #ff8a80; --bad-ground: #2e1817; --c0: #6cb0ff;
      --c1: #f2a25c; --c2: #66cf8a; --c3: #d690e8; --c4: #ff8f9c; --c5: #5ecbe0; --c6: #cdd14a; --c7: #aaa0ff } }

    """

  private static let page: HTML = """
    * { box-sizing: border-box }
    html { scroll-padding-top: 1em }
    body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
    a { color: var(--link) }
    .skip { position: absolute; left: -99em } .skip:focus { left: 1em; top: .5em; background: var(--panel); padding: .3em .6em }
    header { display: flex; flex-wrap: wrap; gap: .3em 1.4em; align-items: baseline; padding: .8em 1.2em; background: var(--panel);
      border-bottom: 1px solid var(--line) }
    header strong { font-size: 1.1em; letter-spacing: .01em }
    nav { display: flex; gap: 1.2em } nav a { text-decoration: none; padding: .15em 0; border-bottom: 2px solid transparent }
    nav a[aria-current] { color: var(--ink); border-bottom-color: var(--link) }
    .note { margin-left: auto; color: var(--faint); font-size: 13px; overflow-wrap: anywhere }
    main { max-width: 76em; margin: 0 auto; padding: 1em 1.2em 4em }
    h1 { font-size: 1.5em; margin: .4em 0 .6em } h2 { font-size: 1.15em; margin: 2.2em 0 .6em }
    h2 small { font-weight: 400; font-size: 13px; color: var(--faint); margin-left: .4em }
    .good { color: var(--good) } .bad { color: var(--bad); font-weight: 600 } .faint { color: var(--faint); font-size: 13px }
    :focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px }
    details { margin: .8em 0 } summary { cursor: pointer; color: var(--link); padding: .2em 0 }

    """

  private static let overview: HTML = """
    .verdict { border: 1px solid; border-radius: 10px; padding: .8em 1.1em; margin: 0 0 1em; font-weight: 400; color: var(--ink) }
    .verdict.good { background: var(--good-ground); border-color: var(--good) } .verdict.good b { color: var(--good) }
    .verdict.bad { background: var(--bad-ground); border-color: var(--bad) } .verdict.bad b { color: var(--bad) }
    .verdict ul { margin: .3em 0 0; padding-left: 1.2em } .verdict a { color: inherit; overflow-wrap: anywhere }
    .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(12em, 1fr)); gap: .8em }
    .tile { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: .8em 1em; display: flex; flex-direction: column }
    .tile.bad { border-color: var(--bad) } .tile.bad b { color: var(--bad) } .tile { font-weight: 400; color: var(--ink) }
    .tile b { font-size: 1.7em; line-height: 1.2; font-weight: 600; font-variant-numeric: tabular-nums }
    .tile span { color: var(--faint); font-size: 13px } .tile .spark { width: 100%; height: 2em; margin-top: auto; padding-top: .4em }
    svg { display: block; max-width: 100% } .spark { width: 9em; height: 1.7em }
    .spark path { fill: none; stroke: var(--link); stroke-width: 1.5; vector-effect: non-scaling-stroke; stroke-linejoin: round }
    .bar { display: inline-block; width: 8em; height: .7em; border-radius: .35em; background: var(--line); overflow: hidden; vertical-align: middle }
    .bar i { display: block; height: 100%; background: var(--link); border-radius: .35em }

    """

  private static let tables: HTML = """
    .panel { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; margin-bottom: .8em; overflow: hidden }
    .panel > p { margin: 0; padding: 9px 14px 0; color: var(--faint); font-size: 13px } .scroll { overflow-x: auto }
    table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
    th, td { text-align: left; padding: 6px 14px; border-bottom: 1px solid var(--line); white-space: nowrap; font-weight: 400 }
    thead th { color: var(--faint); font-size: 13px } tbody tr:last-child > * { border-bottom: 0 }
    tbody tr:hover > * { background: var(--ground) } .number { text-align: right }

    """

  private static let explorer: HTML = """
    form { display: flex; flex-wrap: wrap; gap: .8em; align-items: end; background: var(--panel); border: 1px solid var(--line);
      border-radius: 10px; padding: 1em }
    label { display: grid; gap: .15em; font-size: 13px; color: var(--faint) } label.wide { flex: 1 1 12em }
    fieldset { border: 0; padding: 0; margin: 0; flex-basis: 100% } legend { padding: 0; margin-bottom: .3em }
    fieldset label { display: inline-flex; gap: .35em; align-items: center; margin: .15em 1em .15em 0; color: var(--ink) }
    input, select, button { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: 6px;
      padding: .4em .6em; max-width: 100% } input:not([type=checkbox]), select { height: 2.5em } label.wide input { width: 100% } label.half input { width: 7em }
    button { background: var(--link); color: var(--panel); border-color: transparent; cursor: pointer; padding: .4em 1.2em }
    .legend { display: flex; flex-wrap: wrap; gap: .3em 1.2em; padding: 0; margin: .8em 0; list-style: none }
    .dot { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .4em; background: var(--mark) }
    .timeline { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: .9em 1.1em }
    .lane { display: grid; grid-template-columns: minmax(4em, 9em) 1fr; gap: .8em; align-items: center }
    .lane > span { text-align: right; font-size: 13px; color: var(--faint); overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
    .track { position: relative; height: 1.9em; margin: 0 .5em } .track::before { content: ""; position: absolute; inset: 50% -.5em auto;
      border-top: 1px solid var(--line) }
    .track i { position: absolute; top: 50%; width: .72em; height: .72em; margin: -.36em; border-radius: 50%; background: var(--mark); opacity: .8 }
    .track b { position: absolute; top: 0; bottom: 0; margin: 0 -.5em; border-radius: 4px; background: var(--line); opacity: .5; min-width: 1em }
    .axis { display: flex; justify-content: space-between; font-size: 12px; color: var(--faint); padding-top: .3em }
    .gap td, .gap th { color: var(--faint); font-size: 13px; padding: 2px 14px; background: var(--ground) }

    """

  private static let narrow: HTML = """
    @media (max-width: 40em) { main { padding: .6em .7em 3em } th, td, .gap td { padding: 5px 9px } .panel > p { padding: 8px 9px 0 }
      .tile:last-child:nth-child(odd) { grid-column: 1 / -1 }
      .note { margin-left: 0 } .extra { display: none } .tiles { grid-template-columns: 1fr 1fr } .tile b { font-size: 1.4em }
      h2 small { display: block; margin: 0 } .lane { grid-template-columns: 1fr; gap: 0 } .lane > span { text-align: left }
      .lane > .track { height: 1.5em } .axis span:nth-child(even) { display: none } .spark { width: 6em } .bar { width: 5em }
      label.half { flex: 1 1 8em } label.half input, label.half select { width: 100% } button { flex: 1 1 100% } }
    """
}
