//! The floor: a loop that writes the same bytes to the same number of sockets, and nothing else.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Serves until it is killed. The first connection gives the orders: the length of a frame (four
/// bytes, the highest first) and the frame, which then goes to everybody else; one byte says done.
pub fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    println!(r#"{{"url":"http://{}"}}"#, listener.local_addr().expect("an address"));
    let (mut orders, _) = listener.accept().expect("orders");
    let sockets: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
    let room = sockets.clone();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.expect("a connection");
            socket.set_nodelay(true).expect("a setting");
            socket.write_all(b"\n").expect("a beginning");
            room.lock().expect("the room").push(socket);
        }
    });
    let mut length = [0; 4];
    loop {
        orders.read_exact(&mut length).expect("an order");
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        orders.read_exact(&mut frame).expect("a frame");
        for socket in sockets.lock().expect("the room").iter_mut() {
            socket.write_all(&frame).expect("the frame goes out");
        }
        orders.write_all(b".").expect("done");
    }
}

/// Who gives the orders.
pub struct Orders(tokio::net::TcpStream);

impl Orders {
    pub async fn to(address: SocketAddr) -> Orders {
        Orders(tokio::net::TcpStream::connect(address).await.expect("a connection"))
    }

    /// Has `frame` written to everybody.
    pub async fn write(&mut self, frame: &[u8]) {
        let length = u32::try_from(frame.len()).expect("a short frame").to_be_bytes();
        self.0.write_all(&[&length, frame].concat()).await.expect("an order");
        self.0.read_exact(&mut [0]).await.expect("done");
    }
}
