//! The two steps before anything is said to a host: its name, and a connection.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// Why a host isn't reached.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// It took longer than it may.
    #[error("no answer within {} s", .0.as_secs_f64())]
    TimedOut(Duration),
    /// The name leads to no address.
    #[error("the name has no address")]
    NoAddress,
    /// What the system says.
    #[error("{0}")]
    System(io::Error),
}

/// The addresses of a host, in the order in which they are tried.
///
/// # Errors
///
/// When the name can't be resolved within this time.
pub async fn resolve(host: &str, port: u16, within: Duration) -> Result<Vec<SocketAddr>, ReachError> {
    let resolving = timeout(within, lookup_host((host, port))).await;
    let resolved = resolving.map_err(|_| ReachError::TimedOut(within))?.map_err(ReachError::System)?;
    let addresses: Vec<SocketAddr> = resolved.collect();
    if addresses.is_empty() { Err(ReachError::NoAddress) } else { Ok(addresses) }
}

/// Connects to the first of these addresses that answers, says nothing, and gives that address.
///
/// # Errors
///
/// Why the last one gave no connection, when none did within this time.
pub async fn connect(addresses: &[SocketAddr], within: Duration) -> Result<SocketAddr, ReachError> {
    let first_that_answers = async {
        let mut failure = ReachError::NoAddress;
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(_) => return Ok(*address),
                Err(error) => failure = ReachError::System(error),
            }
        }
        Err(failure)
    };
    timeout(within, first_that_answers).await.map_err(|_| ReachError::TimedOut(within))?
}
