//! Builds an image with the engine's own builder.

use bollard::query_parameters::{BuildImageOptions, BuilderVersion};
use futures_util::StreamExt;

use super::{Docker, refusal};
use crate::engine::{Build, Error, Progress};

impl Docker {
    pub(super) async fn build_image(&self, build: &Build, progress: Progress<'_>) -> Result<(), Error> {
        let options = BuildImageOptions {
            dockerfile: build.dockerfile.clone(),
            t: Some(build.tag.clone()),
            target: build.target.clone().unwrap_or_default(),
            buildargs: Some(build.args.clone().into_iter().collect()),
            platform: build.platform.clone().unwrap_or_default(),
            labels: Some(build.labels.clone().into_iter().collect()),
            // The containers of a build that failed are removed too.
            rm: true,
            forcerm: true,
            // Every engine has the classic builder, and it needs no session.
            version: BuilderVersion::BuilderV1,
            ..BuildImageOptions::default()
        };
        let mut log = Log::default();
        let context = bollard::body_full(build.context.clone());
        let mut steps = Box::pin(self.client.build_image(options, None, Some(context)));
        while let Some(step) = steps.next().await {
            match step {
                Ok(step) => log.take(step.stream.as_deref().unwrap_or_default(), progress),
                Err(error) => {
                    log.end(progress);
                    if let unreachable @ Error::Unreachable { .. } = self.failed("build an image", &error) {
                        return Err(unreachable);
                    }
                    let cause = refusal::words(&error);
                    return Err(Error::Build { tag: build.tag.clone(), cause, log: log.whole });
                }
            }
        }
        log.end(progress);
        Ok(())
    }
}

/// The output of a build, which arrives in pieces of lines.
#[derive(Default)]
struct Log {
    whole: String,
    told: usize,
}

impl Log {
    /// Tells each line that is complete.
    fn take(&mut self, piece: &str, progress: Progress<'_>) {
        self.whole.push_str(piece);
        while let Some(length) = self.whole[self.told..].find('\n') {
            self.tell(length, progress);
            self.told += 1;
        }
    }

    fn end(&mut self, progress: Progress<'_>) {
        self.tell(self.whole.len() - self.told, progress);
    }

    fn tell(&mut self, length: usize, progress: Progress<'_>) {
        let line = self.whole[self.told..self.told + length].trim_end();
        if !line.is_empty() {
            progress(line);
        }
        self.told += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn pieces_of_lines_are_told_as_lines() {
        let told = Mutex::new(Vec::new());
        let progress = |line: &str| told.lock().unwrap().push(line.to_owned());
        let mut log = Log::default();
        for piece in ["Step 1", "/2 : FROM x\n", "\n", " ---> 0\r\nSte", "p 2/2"] {
            log.take(piece, &progress);
        }
        log.end(&progress);
        assert_eq!(*told.lock().unwrap(), ["Step 1/2 : FROM x", " ---> 0", "Step 2/2"]);
        assert_eq!(log.whole, "Step 1/2 : FROM x\n\n ---> 0\r\nStep 2/2");
    }
}
