//! `longhorn policy render`: what is pasted into the workspace.

use std::path::Path;

use super::args::{PolicyRenderArgs, RenderAs};
use super::policy::load;
use super::terminal::{Terminal, closed};
use crate::config::document::read_data;
use crate::config::render::allow_list::{AllowList, Merged, merge};
use crate::config::render::{NOT_CLOSED, definition, pretty, terraform};
use crate::decision::compute::Compute;
use crate::decision::policy::Policy;
use crate::exit::Exit;
use crate::screen::Screen;

pub(super) fn render(args: &PolicyRenderArgs, terminal: &mut Terminal<'_>) -> Result<Exit, Screen> {
    let policy = load(&args.policy, terminal)?;
    let compute = named(&policy, &args.compute)?;
    let text = match args.form {
        RenderAs::Definition => pretty(&definition(compute)) + "\n",
        RenderAs::Terraform => terraform(&args.compute, compute),
        RenderAs::AllowList => match merge(current(args.current.as_deref())?, &compute.script) {
            Merged::Added(list) => pretty(&list) + "\n",
            Merged::There(list, by) => {
                talk(terminal, &format!("the script is allowed already, by {by}"));
                pretty(&list) + "\n"
            }
            Merged::NotAsked => {
                talk(terminal, "only scripts in volumes stand in that list; nothing is to be done");
                return Ok(Exit::Ok);
            }
        },
    };
    if args.form != RenderAs::AllowList {
        talk(terminal, "a compute policy does not close:");
        NOT_CLOSED.iter().for_each(|line| talk(terminal, &format!("  {line}")));
        if compute.logs.as_ref().is_some_and(|logs| logs.kind == "VOLUMES") {
            talk(terminal, "logs in a volume: the reference names DBFS alone as a kind; try this policy before it is needed");
        }
    }
    terminal.out.write_all(text.as_bytes()).map_err(closed)?;
    Ok(Exit::Ok)
}

fn talk(terminal: &mut Terminal<'_>, line: &str) {
    // Nobody listening is no reason to stop.
    let _ = writeln!(terminal.err, "{line}");
}

fn named<'a>(policy: &'a Policy, name: &str) -> Result<&'a Compute, Screen> {
    let found = policy.compute.iter().find(|(known, _)| known.as_str() == name).map(|(_, compute)| compute);
    found.ok_or_else(|| {
        let known: Vec<&str> = policy.compute.keys().map(|name| name.as_str()).collect();
        let expected = if known.is_empty() { "a [compute.NAME] in the policy: it has none".into() } else { known.join(" or ") };
        Screen::failed("compute-unknown", Exit::Usage, "the policy has no compute policy of that name")
            .fact("expected", expected)
            .fact("presented", name)
            .hint("`--compute` names one of the policy's [compute.NAME]")
    })
}

/// The list that is there. It is asked for, for a PUT without it would take away what others allowed.
fn current(path: Option<&Path>) -> Result<AllowList, Screen> {
    let Some(path) = path else { return Ok(AllowList { artifact_matchers: Vec::new() }) };
    serde_json::from_slice(&read_data(path)?).map_err(|error| {
        Screen::failed("allow-list-malformed", Exit::Data, "the list of allowed scripts cannot be read")
            .fact("file", path.display())
            .fact("expected", "what the workspace answers: artifact_matchers, each with artifact and match_type")
            .fact("presented", format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column()))
            .hint("GET /api/2.1/unity-catalog/artifact-allowlists/INIT_SCRIPT prints it")
    })
}
