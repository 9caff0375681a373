//! Every page in every state and language, as files to look at: `cargo run -p pages --example gallery -- DIR`.
//!
//! Writes `DIR/en/NAME.html`, `DIR/es/NAME.html`, the static files, an index, and `DIR/gallery.json`, which lists them
//! with the headers that each page is sent with, for `clients/pages/run`.

mod states;

use pages::{Language, assets, headers, page};
use std::{env, fmt::Write as _, fs, io, path::Path, process::ExitCode};

fn main() -> ExitCode {
    let Some(folder) = env::args_os().nth(1) else {
        eprintln!("usage: gallery DIR");
        return ExitCode::from(2);
    };
    match write(Path::new(&folder)) {
        Ok(count) => {
            eprintln!("{count} pages in {}", Path::new(&folder).display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", Path::new(&folder).display());
            ExitCode::FAILURE
        }
    }
}

fn write(folder: &Path) -> io::Result<usize> {
    for asset in assets::ALL {
        let path = folder.join(asset.path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, asset.body)?;
    }
    let states = states::all();
    let (mut index, mut list) = (String::new(), String::new());
    for language in Language::ALL {
        let tag = language.tag();
        fs::create_dir_all(folder.join(tag))?;
        for state in &states {
            fs::write(
                folder.join(tag).join(format!("{}.html", state.name)),
                page(&state.frame, &state.view, language),
            )?;
            let _ = writeln!(index, "<li><a href=\"{tag}/{name}.html\">{tag}: {name}</a></li>", name = state.name);
            let headers = headers::of_page(&state.frame, &state.view, language, &["https://app.example/callback"]);
            let headers: Vec<String> =
                headers.iter().map(|(name, value)| format!("\"{name}\":\"{}\"", value.replace('"', "\\\""))).collect();
            let comma = if list.is_empty() { "" } else { ",\n" };
            let _ = write!(
                list,
                "{comma}{{\"path\":\"/{tag}/{}.html\",\"headers\":{{{}}}}}",
                state.name,
                headers.join(",")
            );
        }
    }
    fs::write(folder.join("index.html"), format!("<!doctype html><title>Gallery</title><ul>\n{index}</ul>\n"))?;
    fs::write(folder.join("gallery.json"), format!("[{list}]\n"))?;
    Ok(states.len() * Language::ALL.len())
}
