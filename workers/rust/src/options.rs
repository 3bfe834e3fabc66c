//! What a worker and a run can be told.

/// How events travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Flat JSON over HTTP.
    Json,
    /// Binary protobuf over HTTP.
    Protobuf,
    /// gRPC, where the payload offers it and the library is built with the feature `grpc`.
    Grpc,
}

impl Encoding {
    pub(crate) const VARIABLE: &str = "WOVE_ENCODING";

    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "json" => Some(Self::Json),
            "protobuf" => Some(Self::Protobuf),
            "grpc" => Some(Self::Grpc),
            _ => None,
        }
    }
}

/// What the backend calls the delivery that is run, for those who look into both.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// The backend's own identifier of the job.
    pub id: Option<String>,
    /// The backend's own name of this worker.
    pub worker: Option<String>,
    /// The backend's own count of deliveries of this job.
    pub delivery: Option<u32>,
}
