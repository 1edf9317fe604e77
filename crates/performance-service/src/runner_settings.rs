//! What k6 runs as, and where containers of it are made.

use std::collections::HashMap;
use std::num::NonZero;
use std::path::PathBuf;

use load_runner::binary::MajorVersion;
use load_runner::container::{ContainerConfig, ContainerLimits, PinnedImage};
use load_runner::options::RunnerKind;
use load_runner::sandbox::Limits;
use service_defaults::environment::Environment;

const SOCKET: &str = "PERFORMANCE_CONTAINER_SOCKET";
const IMAGE: &str = "PERFORMANCE_CONTAINER_IMAGE";
const IMAGE_V1: &str = "PERFORMANCE_CONTAINER_IMAGE_V1";
const RUNNER: &str = "PERFORMANCE_RUNNER";

/// The program that this process runs, also when its file was replaced meanwhile.
const THIS_PROGRAM: &str = "/proc/self/exe";

const MEBIBYTE: u64 = 1024 * 1024;

/// How runs are carried out.
#[derive(Debug, Clone)]
pub struct RunnerSettings {
    /// What a run gets that asks for nothing else.
    pub(crate) usual: RunnerKind,
    /// Bounds of k6 as processes of this machine.
    pub(crate) limits: Limits,
    /// Where containers are made; nowhere when absent.
    pub(crate) containers: Option<ContainerConfig>,
    /// The program whose subcommands begin k6 and watch it; a service's own, unless it runs in
    /// another one.
    pub program: PathBuf,
}

impl RunnerSettings {
    /// Reads the settings.
    pub(crate) fn read(environment: &mut Environment) -> Self {
        let usual = environment.choice(
            RUNNER,
            "process",
            &["process", "container"],
            "What k6 runs as when a run does not say",
        );
        let usual = RunnerKind::parse(usual).unwrap_or(RunnerKind::Process);
        let memory: u64 = environment.parsed(
            "PERFORMANCE_RUN_MEMORY_MIB",
            "4096",
            "Memory that the k6 of a run may use together, in MiB; one that uses more is killed",
        );
        let limits = Limits {
            memory: memory.saturating_mul(MEBIBYTE),
            ..Limits::default()
        };
        let containers = read_containers(environment);
        if usual == RunnerKind::Container && containers.is_none() {
            environment.reject(RUNNER, format!("container needs {SOCKET}"));
        }
        Self {
            usual,
            limits,
            containers,
            program: PathBuf::from(THIS_PROGRAM),
        }
    }
}

fn read_containers(environment: &mut Environment) -> Option<ContainerConfig> {
    let socket = environment.optional_text(
        SOCKET,
        "Unix socket of a Docker engine, for runs in containers: who has it has the machine",
    );
    let image: Option<PinnedImage> = environment.optional_parsed(
        IMAGE,
        "The image with k6 v2, as NAME@sha256:DIGEST or sha256:ID",
    );
    let image_v1: Option<PinnedImage> = environment.optional_parsed(IMAGE_V1, "The same for k6 v1");
    let limits = read_limits(environment);
    let socket = socket?;
    let images: HashMap<_, _> = [(MajorVersion::V2, image), (MajorVersion::V1, image_v1)]
        .into_iter()
        .filter_map(|(version, image)| Some((version, image?)))
        .collect();
    if images.is_empty() {
        environment.reject(IMAGE, format!("{SOCKET} needs an image"));
    }
    Some(ContainerConfig {
        socket: PathBuf::from(socket),
        images,
        limits,
    })
}

fn read_limits(environment: &mut Environment) -> ContainerLimits {
    let memory: u64 = environment.parsed(
        "PERFORMANCE_CONTAINER_MEMORY_MIB",
        "2048",
        "Memory of one container in MiB",
    );
    let processors: u32 = environment.parsed(
        "PERFORMANCE_CONTAINER_PROCESSORS",
        "0",
        "Processors of one container; all of the machine when 0",
    );
    let processes: u32 = environment.parsed(
        "PERFORMANCE_CONTAINER_PROCESSES",
        "512",
        "Processes and threads of one container",
    );
    let all = std::thread::available_parallelism().map_or(1, NonZero::get);
    let all = u32::try_from(all).unwrap_or(1);
    ContainerLimits {
        memory: memory.saturating_mul(MEBIBYTE),
        processors: if processors == 0 {
            all
        } else {
            processors.min(all)
        },
        processes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> (RunnerSettings, String) {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut environment = Environment::of_pairs(pairs);
        let settings = RunnerSettings::read(&mut environment);
        let errors = environment.errors().iter();
        let errors: Vec<_> = errors.map(|error| error.name.clone()).collect();
        (settings, errors.join(" "))
    }

    #[test]
    fn no_socket_is_opened_by_default() {
        let (settings, errors) = read(&[]);
        assert!(
            settings.containers.is_none() && errors.is_empty(),
            "{errors}"
        );
        assert_eq!(settings.usual, RunnerKind::Process);
    }

    #[test]
    fn images_are_pinned_and_bounds_are_those_of_the_machine() {
        let image = format!("grafana/k6@sha256:{}", "0a".repeat(32));
        let (settings, errors) = read(&[
            (SOCKET, "/run/docker.sock"),
            (IMAGE, &image),
            ("PERFORMANCE_CONTAINER_PROCESSORS", "100000"),
            (RUNNER, "container"),
        ]);
        assert_eq!(errors, "");
        let containers = settings.containers.unwrap();
        assert_eq!(containers.limits.memory, 2048 * MEBIBYTE);
        assert!(containers.limits.processors < 100_000);
        assert_eq!(containers.images[&MajorVersion::V2].to_string(), image);

        for (pairs, name) in [
            (vec![(SOCKET, "/s"), (IMAGE, "grafana/k6:2.2.0")], IMAGE),
            (vec![(SOCKET, "/s")], IMAGE),
            (vec![(RUNNER, "container")], RUNNER),
            (vec![(RUNNER, "kubernetes")], RUNNER),
        ] {
            let (_, errors) = read(&pairs);
            assert!(errors.contains(name), "{pairs:?}: {errors}");
        }
    }
}
